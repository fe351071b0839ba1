"""Sound files through the control door: large ones get through, and what is too large or too slow gets a clear word."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from kitsu_control.proxy import MAX_FILE_BYTES
from tests.fakes.door import FakeDoor
from tests.fakes.orchestrator import FakeOrchestrator

PATH = "/api/v1/transcribe"


async def test_a_long_voice_note_goes_in_and_its_words_come_out(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    words = [{"word": "hello", "start_ms": n * 300, "end_ms": n * 300 + 200, "confidence": 0.9} for n in range(12_000)]
    orchestrator.answers["POST /transcribe"] = (200, {"text": "hello " * 12_000, "words": words})
    note = bytes(range(256)) * 8_000  # 2 MB
    async with door.client() as client:
        await door.sign_in(client)
        answer = await client.post(f"{PATH}?language=en", content=note, timeout=20)
    assert (answer.status_code, len(answer.json()["words"])) == (200, 12_000)
    assert len(answer.content) > 64 << 10
    (asked,) = orchestrator.asked
    assert (asked.query, asked.body == note) == ("language=en", True)


async def raw(door: FakeDoor, headers: str, body: bytes) -> tuple[int, str]:
    """What is answered, as status and code, to a client that sends no more than this and waits."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door.port)
    host = f"host: 127.0.0.1:{door.port}\r\nauthorization: Bearer {door.token}"
    writer.write(f"POST {PATH} HTTP/1.1\r\n{host}\r\n{headers}\r\n\r\n".encode() + body)
    try:
        async with asyncio.timeout(5):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
            answer = json.loads(await reader.readexactly(length))
    finally:
        writer.close()
        await writer.wait_closed()
    return int(head.split()[1]), answer["error"]["code"]


async def test_a_file_that_says_it_is_too_large_is_not_even_begun(
    orchestrator: FakeOrchestrator, door: FakeDoor
) -> None:
    assert await raw(door, f"content-length: {MAX_FILE_BYTES + 1}", b"x") == (413, "body_too_large")
    assert orchestrator.asked == []


async def test_a_file_that_grows_too_large_is_ended(
    orchestrator: FakeOrchestrator, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsu_control.proxy.MAX_FILE_BYTES", 300_000)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(10):
            yield bytes(50_000)

    async with door.client(**door.bearer) as client:
        answer = await client.post(PATH, content=unannounced())
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
        assert (await client.get("/api/v1/status")).status_code == 200
    assert "/transcribe" not in [asked.path for asked in orchestrator.asked]


async def test_a_file_that_stops_coming_is_ended(
    orchestrator: FakeOrchestrator, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsu_control.answers.BODY_TIMEOUT_S", 0.2)
    assert await raw(door, "content-length: 100000", bytes(50_000)) == (408, "body_too_slow")
    assert await raw(door, "transfer-encoding: chunked", b"5\r\nhello\r\n") == (408, "body_too_slow")
    assert orchestrator.asked == []


@pytest.mark.parametrize("path", ["/api/v1/chat", "/api/v1/transcribe/x", "/api/v1/Transcribe"])
async def test_everything_else_stays_small(orchestrator: FakeOrchestrator, door: FakeDoor, path: str) -> None:
    async with door.client(**door.bearer) as client:
        answer = await client.post(path, content=bytes(70_000))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")
    assert orchestrator.asked == []


async def test_the_orchestrators_refusal_comes_back(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    error = {"error": {"code": "asr_missing", "message": "The ears are not running."}}
    orchestrator.answers["POST /transcribe"] = (503, error)
    async with door.client(**door.bearer) as client:
        answer = await client.post(PATH, content=bytes(200_000))
    assert (answer.status_code, answer.json()) == (503, error)


async def test_strangers_send_no_files(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with door.client() as client:
        assert (await client.post(PATH, content=bytes(200_000))).status_code == 401
    assert orchestrator.asked == []
