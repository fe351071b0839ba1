"""Workers that the hub must not take, or must not keep: real clients, real sockets, one show that outlives them all."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, get_args

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin

from kitsu.protocol import (
    EXITS,
    MAY_SEND,
    MESSAGES,
    Hello,
    HelloAccepted,
    HelloRefused,
    Message,
    Role,
    ServiceHealth,
    decode,
    encode,
    type_of,
)
from kitsu.protocol.frames import MAX_BINARY_BYTES, MAX_HELLO_BYTES
from tests.fakes.clock import FakeClock, FakeDoor
from tests.fakes.workers import FakeBrain, FakeVoice
from tests.integration.orchestrator_stack import KEY, TOKEN, serving
from tests.wire.examples import frame, minimal
from tests.wire.test_hostile import DEEP, binary

pytestmark = pytest.mark.asyncio(loop_scope="module")
ROLES: tuple[Role, ...] = tuple(role for role in get_args(Role) if role != "orchestrator")
HELLO: dict[str, Any] = {"type": "hello", "role": "policy", "name": "policy", "token": TOKEN, "protocol": 1}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    async with serving(tmp_path_factory.mktemp("hub")) as (_, port):
        yield port


def client(port: int, **options: Any) -> connect:
    return connect(f"ws://127.0.0.1:{port}/hub", compression=None, proxy=None, **options)


async def join(socket: ClientConnection, role: Role) -> HelloAccepted:
    await socket.send(encode(Hello(role=role, name=role, token=TOKEN)))
    answer = decode(await socket.recv()).message
    assert isinstance(answer, HelloAccepted), answer
    return answer


async def end(socket: ClientConnection) -> tuple[str, int]:
    """The last word of the hub, and the close code."""
    last: list[Message] = []

    async def listen() -> None:
        while True:
            last[:] = [decode(await socket.recv()).message]

    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(listen(), 5)
    assert closed.value.rcvd is not None
    if closed.value.rcvd.code != 4400:
        return "", closed.value.rcvd.code
    refusal = last[-1]
    assert isinstance(refusal, HelloRefused), refusal
    assert refusal.message
    assert TOKEN not in refusal.message
    assert closed.value.rcvd.reason == refusal.code
    return refusal.code, 4400


async def status(port: int) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
        answer: dict[str, Any] = (await http.get(f"http://127.0.0.1:{port}/status")).json()
        return answer


async def lives(socket: ClientConnection, port: int, role: Role, reason: str) -> bool:
    """Whether the hub still hears this worker."""
    await socket.send(encode(ServiceHealth(state="degraded", reason=reason)))
    await (await socket.ping())
    rows = (await status(port))["services"]
    return any((row["role"], row.get("reason")) == (role, reason) for row in rows)


HELLOS: dict[str, tuple[dict[str, Any], str]] = {
    "no token": ({"token": ""}, "bad_token"),
    "another token": ({"token": "u" * 43}, "bad_token"),
    "token and a blank": ({"token": TOKEN + " "}, "bad_token"),
    "half the token": ({"token": TOKEN[:20]}, "bad_token"),
    "token of a NUL": ({"token": "\0"}, "bad_token"),
    "token beyond ASCII": ({"token": "tökén" * 8}, "bad_token"),
    "token that is null": ({"token": None}, "bad_message"),
    "token that is a list": ({"token": [TOKEN]}, "bad_message"),
    "older protocol": ({"protocol": 0}, "bad_protocol"),
    "newer protocol": ({"protocol": 2}, "bad_protocol"),
    "protocol below zero": ({"protocol": -1}, "bad_protocol"),
    "protocol beyond 64 bit": ({"protocol": 1 << 70}, "bad_protocol"),
    "protocol in quotes": ({"protocol": "1"}, "bad_message"),
    "wrong token and protocol": ({"token": "", "protocol": 2}, "bad_token"),
    "the hub's own role": ({"role": "orchestrator"}, "bad_hello"),
    "role of nobody": ({"role": "admin"}, "bad_message"),
    "role in capitals": ({"role": "Policy"}, "bad_message"),
    "no name": ({"name": None}, "bad_message"),
    "over 4 KB": ({"name": "x" * MAX_HELLO_BYTES}, "bad_hello"),
    "over 4 KB in UTF-8": ({"name": "🦊" * 3000}, "bad_hello"),
    "over 4 KB in a field of nobody": ({"more": "x" * MAX_HELLO_BYTES}, "bad_hello"),
    "capabilities of the wrong kind": ({"capabilities": "all"}, "bad_message"),
}


@pytest.mark.parametrize("name", HELLOS)
async def test_a_hello_that_is_not_right_is_refused(port: int, name: str) -> None:
    fields, code = HELLOS[name]
    async with client(port) as socket:
        await socket.send(json.dumps({**HELLO, **fields}, ensure_ascii=False))
        assert await end(socket) == (code, 4400)


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "bad_json"),
    "not JSON": ("hello", "bad_json"),
    "truncated": (json.dumps(HELLO)[:-9], "bad_json"),
    "two values": (json.dumps(HELLO) * 2, "bad_json"),
    "array": ("[]", "bad_message"),
    "no type": ("{}", "bad_message"),
    "type is a number": ('{"type":1}', "bad_message"),
    "NaN": ('{"type":"service.health","state":"ok","latency_ms":{"a":NaN}}', "bad_json"),
    "word outside its set": ('{"type":"service.health","state":"fine"}', "bad_message"),
    "half a character": ('{"type":"policy.delta","text":"\\ud800"}', "bad_json"),
    "deep list": ("[" * DEEP, "bad_message"),
    "deep in an unknown field": ('{"type":"policy.delta","text":"","x":' + "[" * DEEP + "]" * DEEP + "}", "bad_json"),
    "deep in an unknown type": ('{"type":"no.such","x":' + '{"a":' * DEEP + "1" + "}" * DEEP + "}", "bad_json"),
    "no bytes": (b"", "frame_truncated"),
    "three bytes": (b"\x01\x00\x00", "frame_truncated"),
    "header longer than the frame": (binary(b"{}", length=3), "frame_truncated"),
    "header of 4 GB": (binary(b"{}", length=0xFFFFFFFF), "frame_too_large"),
    "header of no bytes": (binary(b""), "bad_json"),
    "header that is not UTF-8": (binary(b'{"type":"\xff\xfe"}'), "bad_json"),
    "hello as binary": (binary(json.dumps(HELLO).encode()), "wrong_frame_kind"),
    "sound as text": (
        '{"type":"tts.audio","segment":0,"chunk":0,"position":0,"rate_hz":1}',
        "wrong_frame_kind",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_first_frame_is_refused(port: int, name: str) -> None:
    sent, code = BROKEN[name]
    async with client(port) as socket:
        await socket.send(sent)
        assert await end(socket) == ("bad_hello" if len(sent) > MAX_HELLO_BYTES else code, 4400)


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_frame_of_a_worker_ends_its_connection(port: int, name: str) -> None:
    sent, code = BROKEN[name]
    async with client(port) as socket:
        await join(socket, "policy")
        await socket.send(sent)
        assert await end(socket) == (code, 4400)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize(
    ("sent", "code"), [(b'"\xff\xfe"', 1007), (b'"\xed\xa0\x80"', 1007), (b" " * (MAX_BINARY_BYTES + 1), 1009)]
)
async def test_what_is_no_text_or_over_a_megabyte_is_closed_by_the_socket(
    port: int, sent: bytes, code: int, joined: bool
) -> None:
    async with client(port) as socket:
        if joined:
            await join(socket, "policy")
        await socket.send(sent, text=True)
        assert await end(socket) == ("", code)


@pytest.mark.parametrize("name", sorted(set(MESSAGES) - {"hello"}))
async def test_hello_comes_first(port: int, name: str) -> None:
    async with client(port) as socket:
        await socket.send(frame(minimal(MESSAGES[name])))
        assert await end(socket) == ("bad_hello", 4400)


async def test_an_unknown_type_is_no_hello(port: int) -> None:
    async with client(port) as socket:
        await socket.send('{"type":"hello.again"}')
        assert await end(socket) == ("bad_hello", 4400)


async def test_who_says_nothing_is_not_waited_for(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_orchestrator.hub.HELLO_TIMEOUT_S", 0.1)
    async with client(port) as socket:
        assert await end(socket) == ("hello_timeout", 4400)
    async with client(port) as socket:
        await (await socket.ping())  # a ping is no hello
        assert await end(socket) == ("hello_timeout", 4400)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("last", [b"", b"\x81", b"\x81\xfe\x10\x00", b"\x82\x85\0\0\0\0ab"])
async def test_who_leaves_in_the_middle_of_a_frame_leaves_no_trace(port: int, last: bytes, joined: bool) -> None:
    socket = await client(port)
    if joined:
        await join(socket, "policy")
    socket.transport.write(last)
    socket.transport.abort()
    await socket.wait_closed()
    async with client(port) as again:
        await join(again, "policy")
        assert await lives(again, port, "policy", "after the abort")


FORBIDDEN = [(role, name) for role in ROLES for name, cls in MESSAGES.items() if cls not in MAY_SEND[role]]


@pytest.mark.parametrize(("role", "name"), FORBIDDEN)
async def test_what_a_role_may_not_send_ends_its_connection(port: int, role: Role, name: str) -> None:
    async with client(port) as socket:
        await join(socket, role)
        await socket.send(frame(minimal(MESSAGES[name])))
        assert await end(socket) == ("forbidden_type", 4400)


@pytest.mark.parametrize("role", ROLES)
async def test_what_a_role_may_send_is_taken(port: int, role: Role) -> None:
    async with client(port) as socket:
        await join(socket, role)
        for cls in sorted(MAY_SEND[role], key=type_of):
            await socket.send(frame(minimal(cls)))
        assert await lives(socket, port, role, "all sent")


@pytest.mark.parametrize("source", [*ROLES, "orchestrator", "Policy", "policy ", "\0"])
async def test_nobody_speaks_for_another_role(port: int, source: str) -> None:
    async with client(port) as socket:
        await join(socket, "policy")
        await socket.send(encode(ServiceHealth(state="ok", source=source)))
        if source == "policy":
            assert await lives(socket, port, "policy", "my own name")
        else:
            assert await end(socket) == ("forbidden_type", 4400)


@pytest.mark.parametrize(
    "sent",
    ['{"type":"no.such"}', '{"type":""}', '{"type":"' + "x" * 100_000 + '","a":1}', binary(b'{"type":"new"}', b"\0")],
)
async def test_an_unknown_type_is_ignored_and_the_connection_lives(port: int, sent: str | bytes) -> None:
    async with client(port) as socket:
        await join(socket, "tts")
        for _ in range(200):
            await socket.send(sent)
        assert await lives(socket, port, "tts", "still here")


@pytest.mark.parametrize("role", ROLES)
async def test_the_newest_worker_of_a_role_wins(port: int, role: Role) -> None:
    async with client(port) as older, client(port) as newer:
        first = await join(older, role)
        second = await join(newer, role)
        assert first.session != second.session
        assert await end(older) == ("role_taken", 4400)
        assert await lives(newer, port, role, "the newer one")


@pytest.mark.parametrize("role", ROLES)
async def test_only_exits_get_the_key_of_the_seal(port: int, role: Role) -> None:
    async with client(port) as socket:
        assert (await join(socket, role)).seal_key == (KEY.hex() if role in EXITS else "")


async def test_web_pages_and_foreign_hosts_do_not_even_get_a_socket(port: int) -> None:
    with pytest.raises(InvalidStatus):
        await client(port, origin=Origin("http://evil.example"))
    with pytest.raises(InvalidStatus):
        await connect(f"ws://evil.example:{port}/hub", host="127.0.0.1", compression=None, proxy=None)


async def test_after_all_of_it_the_show_answers(port: int) -> None:
    url, headers = f"http://127.0.0.1:{port}/chat", {"authorization": f"Bearer {TOKEN}"}
    async with (
        FakeBrain(port, TOKEN),
        FakeVoice(port, TOKEN),
        FakeClock(port, TOKEN),
        FakeDoor(port, TOKEN),
        httpx.AsyncClient(headers=headers, trust_env=False, timeout=10) as http,
    ):
        turn = (await http.post(url, json={"text": "hi", "wait": True, "timeout_s": 8})).json()
        assert (turn["outcome"], turn["heard"]) == ("spoken", "Hello there, nice to see you.")
