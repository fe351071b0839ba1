"""The control door on a real socket: sign-in, checks, proxies, panic, and everything that tries to get past them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kitsu.errors import ConfigError
from kitsu.protocol import (
    ControlPanic,
    HelloAccepted,
    Panic,
    PanicConfirmed,
    PlayoutFrame,
    SinkClosed,
    SinkFlush,
    SinkFlushed,
    SinkOpened,
    SinkPosition,
    StateSnapshot,
    StreamNotice,
    decode,
    encode,
)
from kitsu.worker import Process
from kitsu_control.worker import ControlWorker
from tests.fakes.door import FakeDoor, closed, free_port, hello, open_door
from tests.fakes.orchestrator import FakeOrchestrator


@asynccontextmanager
async def overlay(door: FakeDoor, **fields: Any) -> AsyncIterator[tuple[ClientConnection, str]]:
    """An open overlay and its sink id."""
    async with door.socket("/overlay/ws") as socket:
        answer = await hello(socket, json.dumps({"type": "sink.hello", "key": door.overlay_key} | fields))
        accepted = decode(answer).message
        assert isinstance(accepted, HelloAccepted)
        yield socket, accepted.session


# signing in


async def test_link_session_cookie(door: FakeDoor) -> None:
    async with door.client() as client:
        assert (await client.get("/auth/session")).json() == {"signed_in": False}
        assert (await client.get("/api/v1/status")).status_code == 401
        link = (await client.post("/auth/link", headers=door.bearer)).json()
        assert link["url"].startswith(f"{door.url}/#k=")
        key = link["url"].partition("#k=")[2]
        answer = await client.post("/auth/session", json={"key": key})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert (await client.get("/auth/session")).json() == {"signed_in": True}
        assert (await client.get("/api/v1/status")).status_code == 200
        again = await client.post("/auth/session", json={"key": key})
        assert (again.status_code, again.json()["error"]["code"]) == (401, "bad_link")


async def test_signing_out(door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        await client.delete("/auth/session")
        assert (await client.get("/api/v1/status")).status_code == 401


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x", "Basic {}", "bearer {}x", "Bearer ü"])
async def test_links_are_for_the_tokens_holder(door: FakeDoor, token: str) -> None:
    async with door.client() as client:
        header = token.format(door.token).encode("latin-1")
        answer = await client.post("/auth/link", headers={b"authorization": header})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_token")


async def test_a_session_cannot_make_links(door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        assert (await client.post("/auth/link")).status_code == 401


# who may ask at all


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1", "", "127.0.0.1.:{port}"]
)
async def test_other_hosts_are_refused(door: FakeDoor, host: str) -> None:
    async with door.client(host=host.format(port=door.port), **door.bearer) as client:
        for path in ("/", "/overlay", "/healthz", "/api/v1/status", "/auth/session"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_host"), path


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
async def test_our_own_hosts_are_fine(door: FakeDoor, host: str) -> None:
    async with door.client(host=host.format(port=door.port)) as client:
        assert (await client.get("/healthz")).json()["status"] == "ok"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", "file://"]
)
async def test_other_origins_are_refused(door: FakeDoor, origin: str) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        for path in ("/api/v1/control/panic", "/api/v1/control/resume", "/api/v1/chat", "/auth/overlay-key/rotate"):
            answer = await client.post(path, headers={"origin": origin}, json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_origin"), path
        for path in ("/overlay/ws", "/api/v1/stream", "/api/v1/sound"):
            with pytest.raises(InvalidStatus) as caught:
                async with door.socket(path, client, Origin=origin):
                    pass
            assert caught.value.response.status_code == 403


async def test_a_cookie_without_an_origin_is_not_enough(door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        del client.headers["origin"]
        assert (await client.post("/api/v1/control/mute")).status_code == 401
        assert (await client.post("/api/v1/control/mute", headers=door.bearer)).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/stream", "/api/v1/sound"])
async def test_sockets_want_a_session(door: FakeDoor, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with door.socket(path):
            pass
    assert caught.value.response.status_code == 401


async def test_headers(door: FakeDoor) -> None:
    async with door.client() as client:
        answer = await client.get("/auth/session")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


# pages


async def test_pages_not_built(door: FakeDoor) -> None:
    async with door.client() as client:
        page = await client.get("/", headers={"accept": "text/html"})
        assert (page.status_code, "not built yet" in page.text) == (503, True)
        answer = await client.get("/overlay", headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "pages_not_built")


async def test_pages_bring_their_own_policy(
    orchestrator: FakeOrchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = tmp_path / "site"
    (build / "_app" / "immutable").mkdir(parents=True)
    (build / "_app" / "immutable" / "x.js").write_text("1")
    (build / "secret.txt").write_text("no")
    (build / "icon.svg").write_text("<svg/>")
    meta = '<meta http-equiv="content-security-policy" content="script-src &#39;self&#39; &#39;sha256-x&#39;">'
    (build / "index.html").write_text(f"<html>{meta}</html>")
    async with open_door(orchestrator, tmp_path / "home", monkeypatch, build=build) as door, door.client() as client:
        page = await client.get("/")
        assert page.headers["content-security-policy"] == "script-src 'self' 'sha256-x'; frame-ancestors 'none'"
        assert "immutable" in (await client.get("/_app/immutable/x.js")).headers["cache-control"]
        assert (await client.get("/icon.svg")).headers["content-type"].startswith("image/svg")
        for path in (
            "/secret.txt",
            "/_app/../secret.txt",
            "/_app/%2e%2e/secret.txt",
            "/%2e%2e/secrets/token",
            "/index.html",
        ):
            assert (await client.get(path)).status_code == 404, path


# the proxy


async def test_rest_goes_through_with_the_token_and_without_the_cookie(
    orchestrator: FakeOrchestrator, door: FakeDoor
) -> None:
    orchestrator.answers["POST /chat"] = (202, {"turn_id": "t1"})
    async with door.client() as client:
        await door.sign_in(client)
        answer = await client.post("/api/v1/chat?x=1", json={"text": "hi"})
    assert (answer.status_code, answer.json()) == (202, {"turn_id": "t1"})
    (asked,) = orchestrator.asked
    assert (asked.method, asked.path, asked.query, asked.json()) == ("POST", "/chat", "x=1", {"text": "hi"})
    assert asked.headers["authorization"] == f"Bearer {door.token}"
    assert not {"cookie", "origin"} & asked.headers.keys()


async def test_sound_files_come_through(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    orchestrator.answers["GET /turns/t1/audio.wav"] = (200, b"RIFF" * 100_000)
    async with door.client(**door.bearer) as client:
        answer = await client.get("/api/v1/turns/t1/audio.wav")
    assert (answer.content, answer.headers["content-type"]) == (b"RIFF" * 100_000, "audio/wav")


async def test_bodies_are_bounded(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with door.client(**door.bearer) as client:
        for path in ("/api/v1/chat", "/api/v1/control/panic", "/auth/session"):
            answer = await client.post(path, content=b"x" * 70_000)
            assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert orchestrator.asked == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"key": 1}', b"\xff", b"[" * 50_000, b'{"key": "x", "more": 1}'])
async def test_bad_bodies(door: FakeDoor, body: bytes) -> None:
    async with door.client() as client:
        answer = await client.post("/auth/session", content=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_body")


@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/%2e%2e/hub", "/api/v1/x//y", "/api/v1/turns/..%2f..%2fstatus"])
async def test_odd_paths(orchestrator: FakeOrchestrator, door: FakeDoor, path: str) -> None:
    async with door.client(**door.bearer) as client:
        answer = await client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) in ((404, "bad_path"), (404, "not_found"))
    assert orchestrator.asked == []


async def test_the_stream_goes_through(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        async with door.socket("/api/v1/stream", client) as socket:
            assert isinstance(decode(await socket.recv()).message, StateSnapshot)
            await orchestrator.tell(StreamNotice(level="info", code="x", message="hello"))
            notice = decode(await socket.recv()).message
            assert isinstance(notice, StreamNotice)
            assert orchestrator.stream_tokens == [f"Bearer {door.token}"]
            await orchestrator.drop_streams()
            assert await closed(socket) == 4503


async def test_the_stream_is_read_only(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        async with door.socket("/api/v1/stream", client) as socket:
            await socket.recv()
            await socket.send(encode(ControlPanic(panic=Panic(panic_id="x", pressed_at=1, by="page"))))
            assert await closed(socket) == 4400


# overlays


async def test_an_overlay_joins_plays_and_leaves(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with overlay(door, label="OBS") as (socket, sink):
        opened = await orchestrator.expect(SinkOpened)
        assert (opened.sink, opened.kind, opened.label, opened.conv) == (sink, "overlay", "OBS", "stage")
        pcm = bytes(range(200)) * 2
        frame = PlayoutFrame(conv="stage", turn_id="t", gen=1, sink=sink, position=0, samples=200)
        await orchestrator.send(frame, pcm)
        message, payload = decode(await socket.recv())
        assert isinstance(message, PlayoutFrame)
        assert payload == pcm
        await socket.send(encode(SinkPosition(sink="somebody else", position=48, state="running", underruns=1)))
        position = await orchestrator.expect(SinkPosition)
        assert (position.sink, position.position, position.underruns) == (sink, 48, 1)
    assert (await orchestrator.expect(SinkClosed)).sink == sink


async def test_an_overlay_without_sound_is_no_sink(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with overlay(door, sound=False) as (socket, _):
        await socket.send(encode(SinkPosition(sink="", position=48, state="running")))
        async with overlay(door):
            await orchestrator.expect(SinkOpened)
    assert len({message.sink for message in orchestrator.all(SinkOpened)}) == 1
    assert orchestrator.all(SinkPosition) == []


BAD_HELLOS = {
    "no json": ("{", "bad_hello"),
    "another type": (encode(SinkPosition(sink="x", position=1, state="idle")), "bad_hello"),
    "no key": ('{"type":"sink.hello"}', "bad_key"),
    "wrong key": ('{"type":"sink.hello","key":"x"}', "bad_key"),
    "surrogate": ('{"type":"sink.hello","key":"\\ud800"}', "bad_hello"),
    "deep": ("[" * 3000, "bad_hello"),
    "unknown field": ('{"type":"sink.hello","role":"orchestrator"}', "bad_hello"),
    "too large": (f'{{"type":"sink.hello","key":"{"x" * 5000}"}}', "frame_too_large"),
    "binary": (b"\0\0\0\0", "wrong_frame_kind"),
}


@pytest.mark.parametrize(("frame", "code"), BAD_HELLOS.values(), ids=BAD_HELLOS)
async def test_bad_hellos(orchestrator: FakeOrchestrator, door: FakeDoor, frame: str | bytes, code: str) -> None:
    async with door.socket("/overlay/ws") as socket:
        await socket.send(frame)
        refusal = json.loads(await socket.recv())
        assert (refusal["type"], refusal["code"]) == ("hello.refused", code)
        assert await closed(socket) in (4400, 4401)
    assert orchestrator.all(SinkOpened) == []


async def test_hello_must_come_soon(door: FakeDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_control.sockets.HELLO_TIMEOUT_S", 0.05)
    async with door.socket("/overlay/ws") as socket:
        assert json.loads(await socket.recv())["code"] == "hello_timeout"
        assert await closed(socket) == 4408


FORBIDDEN = {
    "panic": encode(ControlPanic(panic=Panic(panic_id="x", pressed_at=1, by="page"))),
    "flush": encode(SinkFlush(conv="stage", gen=99)),
    "confirmation": encode(PanicConfirmed(panic_id="x", exit="playout", latency_ms=1)),
    "opened": encode(SinkOpened(sink="x", kind="device")),
    "unknown type": '{"type":"control.everything"}',
    "no type": "{}",
    "no json": "]",
    "binary": b"\x02\0\0\0{}",
    "huge position": encode(SinkPosition(sink="x", position=1 << 60, state="running")),
    "negative position": encode(SinkPosition(sink="x", position=-1, state="running")),
    "odd state": '{"type":"sink.position","sink":"x","position":1,"state":"dancing"}',
    "odd latency": '{"type":"sink.flushed","sink":"x","latency_ms":-1}',
    "too large": f'{{"type":"sink.position","sink":"{"x" * 5000}","position":1,"state":"idle"}}',
}


@pytest.mark.parametrize("frame", FORBIDDEN.values(), ids=FORBIDDEN)
async def test_an_overlay_can_only_report(orchestrator: FakeOrchestrator, door: FakeDoor, frame: str | bytes) -> None:
    async with overlay(door) as (socket, _):
        await socket.send(frame)
        assert await closed(socket) == 4400
    await orchestrator.expect(SinkClosed)
    hub_got = {type(frame.message).__name__ for frame in orchestrator.frames}
    assert hub_got <= {"SinkOpened", "SinkClosed", "ServiceHealth"}


async def test_frames_over_64_kb_end_the_connection(door: FakeDoor) -> None:
    async with overlay(door) as (socket, _):
        await socket.send("x" * 70_000)
        assert await closed(socket) == 1009


async def test_a_flood_of_reports_ends_the_connection(door: FakeDoor) -> None:
    async with overlay(door) as (socket, _):
        frame = encode(SinkPosition(sink="x", position=1, state="running"))
        try:
            for _ in range(400):
                await socket.send(frame)
        except ConnectionClosed:
            pass
        assert await closed(socket) == 4429


async def test_the_number_of_browsers_is_bounded(
    orchestrator: FakeOrchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = [("control.max_browsers", 2)]
    async with open_door(orchestrator, tmp_path, monkeypatch, settings=limit) as door, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(overlay(door))
        async with door.socket("/overlay/ws") as third:
            assert json.loads(await third.recv())["code"] == "too_many_browsers"


async def test_rotating_the_key_closes_old_overlays(door: FakeDoor) -> None:
    old = door.overlay_key
    async with door.client() as client, overlay(door) as (socket, _):
        await door.sign_in(client)
        shown = (await client.get("/auth/overlay-key")).json()
        assert shown == {"key": old, "url": f"{door.url}/overlay#key={old}"}
        new = (await client.post("/auth/overlay-key/rotate")).json()["key"]
        assert new != old
        assert await closed(socket) == 4401
    async with door.socket("/overlay/ws") as socket:
        assert json.loads(await hello(socket, json.dumps({"type": "sink.hello", "key": old})))["code"] == "bad_key"


async def test_deleting_the_key_file_closes_overlays(door: FakeDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    async with overlay(door) as (socket, _):
        (door.folder / "secrets" / "overlay_key").unlink()
        assert await closed(socket) == 4401


async def test_the_overlay_key_opens_nothing_else(door: FakeDoor) -> None:
    async with door.client(authorization=f"Bearer {door.overlay_key}") as client:
        for path in ("/api/v1/status", "/auth/overlay-key"):
            assert (await client.get(path)).status_code == 401
        assert (await client.post("/api/v1/control/panic")).status_code == 401


async def test_a_signed_in_page_listens(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        async with door.socket("/api/v1/sound?conv=stage", client) as socket:
            await hello(socket, '{"type":"sink.hello","label":"control page"}')
            assert (await orchestrator.expect(SinkOpened)).kind == "page"
        with pytest.raises(InvalidStatus):
            async with door.socket("/api/v1/sound?conv=../x", client):
                pass


async def test_sinks_come_back_after_the_hub_does(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with overlay(door) as (socket, sink):
        await orchestrator.expect(SinkOpened, sink=sink)
        await orchestrator.drop()
        assert isinstance(decode(await socket.recv()).message, SinkFlush)
        assert isinstance(decode(await socket.recv()).message, HelloAccepted)
        await orchestrator.expect(SinkOpened, sink=sink)


# panic


async def test_panic_reaches_pages_orchestrator_and_launcher(
    orchestrator: FakeOrchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orchestrator.answers["POST /control/panic"] = (
        200,
        {"exits": [{"exit": "voice", "state": "confirmed", "latency_ms": 3.5}]},
    )
    async with (
        FakeOrchestrator() as launcher,
        open_door(orchestrator, tmp_path, monkeypatch, launcher_port=launcher.port) as door,
        door.client() as client,
        overlay(door) as (socket, sink),
    ):
        await door.sign_in(client)
        pressing = asyncio.create_task(client.post("/api/v1/control/panic", json={"by": "key"}))
        flush = decode(await socket.recv()).message
        assert isinstance(flush, SinkFlush)
        await socket.send(encode(SinkFlushed(sink="", latency_ms=2.7, panic_id=flush.panic_id)))
        answer = (await pressing).json()
    exits = {one["exit"]: one for one in answer["exits"]}
    assert {name: one["state"] for name, one in exits.items()} == {
        f"overlay:{sink}": "confirmed", "captions": "confirmed", "voice": "confirmed"
    }  # fmt: skip
    assert answer["took_ms"] < 900
    for asked in (orchestrator.asked[-1], launcher.asked[-1]):
        assert asked.headers["authorization"] == f"Bearer {door.token}"
        assert (asked.json()["panic_id"], asked.json()["by"]) == (answer["panic_id"], "key")
    assert (orchestrator.asked[-1].path, launcher.asked[-1].path) == ("/control/panic", "/panic")


async def test_panic_answers_when_nobody_else_does(
    orchestrator: FakeOrchestrator, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsu_control.pressing.ANSWER_WITHIN_S", 0.1)
    orchestrator.hold.clear()
    async with overlay(door) as (_, sink), door.client(**door.bearer) as client:
        answer = (await client.post("/api/v1/control/panic")).json()
    assert {one["exit"]: one["state"] for one in answer["exits"]} == {
        f"overlay:{sink}": "pending", "orchestrator": "late", "launcher": "late"
    }  # fmt: skip


async def test_the_hubs_panic_is_confirmed_by_each_page(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with overlay(door) as (socket, sink):
        panic = Panic(panic_id="p1", pressed_at=1, by="cli")
        await orchestrator.send(ControlPanic(panic=panic, gens={"stage": 2}))
        assert isinstance(decode(await socket.recv()).message, SinkFlush)
        await socket.send(encode(SinkFlushed(sink="", latency_ms=2.7, panic_id="p1")))
        first = await orchestrator.expect(PanicConfirmed)
        second = await orchestrator.expect(PanicConfirmed)
    assert (first.exit, second.exit) == (f"overlay:{sink}", "captions")
    assert first.latency_ms < 1000


async def test_a_panic_pressed_without_a_hub_is_delivered_when_it_is_back(
    orchestrator: FakeOrchestrator, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsu_control.pressing.ANSWER_WITHIN_S", 0.1)
    orchestrator.answers["POST /control/panic"] = (503, {})
    async with door.client(**door.bearer) as client:
        answer = (await client.post("/api/v1/control/panic")).json()
    orchestrator.answers.clear()
    orchestrator.asked.clear()
    await orchestrator.drop()
    await orchestrator.joins(2)
    assert (await orchestrator.requests(1))[0].json()["panic_id"] == answer["panic_id"]


async def test_a_taken_port_is_said_clearly(door: FakeDoor) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        await ControlWorker(Process("control")).run()
    error: BaseException = caught.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ConfigError)
    assert (error.code, str(door.port) in error.message) == ("port_in_use", True)


async def test_neither_orchestrator_nor_launcher_there(
    orchestrator: FakeOrchestrator, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(door.worker._door.button, "_urls", {"orchestrator": gone, "launcher": gone})
    async with door.client(**door.bearer) as client:
        exits = (await client.post("/api/v1/control/panic")).json()["exits"]
    states = {one["exit"]: one["state"] for one in exits}
    assert states == {"captions": "confirmed", "orchestrator": "late", "launcher": "late"}


async def test_rest_after_the_orchestrator_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with AsyncExitStack() as stack:
        orchestrator = FakeOrchestrator()
        dying = await stack.enter_async_context(AsyncExitStack())
        await dying.enter_async_context(orchestrator)
        door = await stack.enter_async_context(open_door(orchestrator, tmp_path, monkeypatch))
        await dying.aclose()
        client = await stack.enter_async_context(door.client(**door.bearer))
        answer = await client.get("/api/v1/status")
        assert (answer.status_code, answer.json()["error"]["code"]) == (502, "orchestrator_down")
        async with door.socket("/api/v1/stream", Authorization=door.bearer["authorization"]) as socket:
            assert await closed(socket) == 4503
