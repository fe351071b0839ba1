"""What the control door passes on to the orchestrator, and what it does not."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kitsu.protocol import ControlPanic, Panic, StateSnapshot, StreamNotice, decode, encode
from tests.fakes.door import FakeDoor, open_door
from tests.fakes.orchestrator import FakeOrchestrator
from tests.integration.control_stage import closed


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
