"""What answers at OBS's port may be anything."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from kitsu.errors import EngineError
from kitsu_obs import connection as module
from kitsu_obs.connection import Address, Connection, Event
from kitsu_obs.link import ObsLink
from kitsu_obs.picture import Picture

HELLO = json.dumps({"op": 0, "d": {"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}})
IDENTIFIED = json.dumps({"op": 2, "d": {"negotiatedRpcVersion": 1}})
Handler = Callable[[ServerConnection], Awaitable[None]]


@asynccontextmanager
async def server(handle: Handler) -> AsyncIterator[Address]:
    async def quietly(socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            await handle(socket)

    async with serve(quietly, "127.0.0.1", 0, compression=None) as running:
        yield Address("127.0.0.1", next(iter(running.sockets)).getsockname()[1])


def signed_in(then: Handler) -> Handler:
    async def handle(socket: ServerConnection) -> None:
        await socket.send(HELLO)
        await socket.recv()
        await socket.send(IDENTIFIED)
        await then(socket)

    return handle


def answering(answer: Callable[[dict[str, Any]], Any]) -> Handler:
    """Answers each request with what `answer` makes of it; None: not at all."""

    async def then(socket: ServerConnection) -> None:
        async for frame in socket:
            said = answer(json.loads(frame)["d"])
            if said is not None:
                await socket.send(said if isinstance(said, str) else json.dumps(said))

    return signed_in(then)


def ignore(event: Event) -> None:
    """An event."""


async def failed(address: Address) -> str:
    with pytest.raises(EngineError) as caught:
        await Connection.open(address, ignore)
    return caught.value.code


@pytest.mark.parametrize("hello", ["nonsense", "[]", "{}", '{"op": 0, "d": null}', "5", '{"d": []}', "\ud83e\udd8a"])
async def test_what_is_not_obs(hello: str) -> None:
    async def handle(socket: ServerConnection) -> None:
        await socket.send(hello)
        await socket.recv()
        await socket.send(hello)

    async with server(handle) as address:
        assert await failed(address) in ("obs_odd", "obs_bad_password")


async def test_nobody_and_somebody_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_TIMEOUT_S", 0.2)
    assert await failed(Address("127.0.0.1", 9)) == "obs_unreachable"

    async def silent(socket: ServerConnection) -> None:
        await socket.wait_closed()

    async with server(silent) as address:
        assert await failed(address) == "obs_unreachable"
    raw = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0)
    async with raw:
        assert await failed(Address("127.0.0.1", raw.sockets[0].getsockname()[1])) in ("obs_odd", "obs_unreachable")


async def test_an_answer_belongs_to_its_question_only() -> None:
    """A late answer, one to nobody, and one of nonsense: none is taken for another."""
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> Any:
        asked.append(request)
        if len(asked) == 1:
            return None
        late, mine = asked[0], request
        return json.dumps({"op": 7, "d": good(late, {"who": "late"})}) if mine is late else good_frame(mine)

    async with server(answering(answer)) as address:
        connection = await Connection.open(address, ignore)
        with pytest.raises(EngineError) as caught:
            await connection.request("GetVersion", timeout_s=0.1)
        assert caught.value.code == "obs_timeout"
        connection._take({"op": 7, "d": good(asked[0], {"who": "late"})}, 0.0)
        for odd in (None, [], {"op": 7}, {"op": 7, "d": []}, {"op": 7, "d": {"requestId": 5}}, {"op": 99, "d": {}}):
            connection._room.acquire()
            connection._take(odd, 0.0)
        assert await connection.request("GetSceneList", timeout_s=2) == {"asked": "GetSceneList"}
        connection.close()
        await connection.ended


def good(request: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    status = {"result": True, "code": 100}
    return {"requestId": request["requestId"], "requestType": "x", "requestStatus": status, "responseData": data}


def good_frame(request: dict[str, Any]) -> dict[str, Any]:
    return {"op": 7, "d": good(request, {"asked": request["requestType"]})}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"requestStatus": {"result": False, "code": 600, "comment": "No source was found"}}, "obs_refused"),
        ({"requestStatus": "fine"}, "obs_refused"),
        ({}, "obs_refused"),
    ],
)
async def test_refusals(said: dict[str, Any], code: str) -> None:
    async with server(
        answering(lambda request: {"op": 7, "d": {"requestId": request["requestId"], **said}})
    ) as address:
        connection = await Connection.open(address, ignore)
        with pytest.raises(EngineError) as caught:
            await connection.request("GetVersion", timeout_s=2)
        assert caught.value.code == code
        connection.close()
        await connection.ended


@pytest.mark.parametrize("results", [None, [], [{}, {}], "x"])
async def test_a_batch_with_other_results(results: Any) -> None:
    def answer(request: dict[str, Any]) -> Any:
        return {"op": 9, "d": {"requestId": request["requestId"], "results": results}}

    async with server(answering(answer)) as address:
        connection = await Connection.open(address, ignore)
        with pytest.raises(EngineError) as caught:
            await connection.batch([{"requestType": "GetVersion"}], timeout_s=2)
        assert caught.value.code == "obs_odd"
        connection.close()
        await connection.ended


@pytest.mark.parametrize("last", ["nonsense", "hang up", "{"])
async def test_its_end_is_told_to_whoever_waits(last: str) -> None:
    async def then(socket: ServerConnection) -> None:
        await socket.recv()
        if last == "hang up":
            await socket.close()
        else:
            await socket.send(last)
            await socket.wait_closed()

    async with server(signed_in(then)) as address:
        connection = await Connection.open(address, ignore)
        with pytest.raises(EngineError) as caught:
            await connection.request("GetVersion", timeout_s=5)
        assert caught.value.code == "obs_gone"
        assert await connection.ended
        with pytest.raises(EngineError) as caught:
            await connection.request("GetVersion", timeout_s=5)
        assert caught.value.code == "obs_gone"


async def test_a_flood_of_events_is_taken_in_order_and_a_request_gets_through() -> None:
    seen: list[int] = []

    async def then(socket: ServerConnection) -> None:
        request = json.loads(await socket.recv())["d"]
        for number in range(3000):
            await socket.send(json.dumps({"op": 5, "d": {"eventType": "Tick", "eventData": {"number": number}}}))
        await socket.send(json.dumps({"op": 5, "d": {"eventType": 5, "eventData": []}}))
        await socket.send(json.dumps(good_frame(request)))
        await socket.wait_closed()

    async with server(signed_in(then)) as address:
        connection = await Connection.open(address, lambda event: seen.append(event.data.get("number", -1)))
        assert await connection.request("GetVersion", timeout_s=20) == {"asked": "GetVersion"}
        assert seen == [*range(3000), -1]
        connection.close()
        await connection.ended


async def test_a_link_outlives_whatever_answers() -> None:
    """Odd pictures, then the end, again and again: it stays, and says what is wrong."""
    told: list[str] = []
    picture = Picture()

    def answer(request: dict[str, Any]) -> Any:
        if "requests" in request:
            results = [good(request, {}) for _ in request["requests"]]
            return {"op": 9, "d": {"requestId": request["requestId"], "results": results}}
        return good_frame(request)

    async with server(answering(answer)) as address:
        link = ObsLink(
            address,
            on_event=ignore,
            changed=lambda: told.append(link.trouble.code if link.trouble else ""),
            arrived=lambda: picture.look(link, 1.0),
        )
        running = asyncio.create_task(link.run())
        async with asyncio.timeout(5):
            while link.connects < 3:
                await asyncio.sleep(0.02)
                link.reset()
        running.cancel()
        await asyncio.wait({running})
    assert "obs_gone" in told
    assert "" not in told  # it was never well
