"""The REST door's part for the ears: transcripts of other tools, orders, sound files."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kitsu.errors import KitsuError
from kitsu.protocol import (
    STAGE,
    AsrListen,
    AsrLook,
    AsrMute,
    AsrState,
    AsrTranscribe,
    AsrTranscript,
    AsrUse,
    AsrUsing,
    Capabilities,
    EarsState,
    PolicyRespond,
    WordTime,
    encode,
)
from kitsu.protocol.frames import MAX_TEXT_BYTES
from kitsu_asr.files_desk import in_parts
from kitsu_orchestrator.ears.files import MAX_BYTES, MAX_FILES, PIECE_BYTES, Files
from tests.fakes.ears import FakeEars
from tests.integration.orchestrator_stack import BLOCKED, TOKEN, stack
from tests.integration.test_talk import LONG, counts, speaking, talking


async def test_what_another_tool_heard_is_a_line(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        body = {"text": "What is for dinner?", "name": "Robin", "utterance": "a1", "endpoint_ms": 250}
        turn = await show.ended((await show.post("/events/asr", body, status=202))["turn_id"])
        assert (turn["outcome"], turn["author"], turn["author_role"]) == ("spoken", "Robin", "broadcaster")
        assert turn["times"]["endpoint_ms"] == 250
        assert await show.post("/events/asr", body, status=202) == {"turn_id": ""}
        assert len(show.brain.all(PolicyRespond)) == 1


async def test_it_interrupts_and_back_channels_do_not(tmp_path: Path) -> None:
    async with stack(tmp_path, held=True) as show:
        turn_id = await speaking(show)
        assert await show.post("/events/asr", {"text": "mhm, okay"}, status=202) == {"turn_id": ""}
        said = await show.post("/events/asr", {"text": "Stop, I have a question"}, status=202)
        cut = await show.ended(turn_id)
        assert (cut["reason"], cut["heard"] != LONG) == ("spoken_over", True)
        await show.clock.release()
        assert (await show.ended(said["turn_id"]))["outcome"] == "spoken"


async def test_it_passes_the_gate(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        said = await show.post("/events/asr", {"text": f"say {BLOCKED}"}, status=202)
        assert (await show.ended(said["turn_id"]))["outcome"] == "blocked"


async def test_too_many_conversations_are_refused_here_too(tmp_path: Path) -> None:
    async with stack(tmp_path, intake={"max_conversations": 1}) as show:
        answer = await show.post("/events/asr", {"text": "hello there", "conv": "page:1"}, status=503)
        assert answer["error"]["code"] == "too_many_conversations"


async def test_orders_reach_the_ears_and_are_said_again_to_new_ones(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        assert await show.post("/ears/mute") == {"muted": True}
        assert (await ears.expect(AsrMute)).muted
        await show.post("/ears/mode", {"mode": "wake_word"})
        assert (await ears.expect(AsrListen)).mode == "wake_word"
        using = asyncio.create_task(show.post("/ears/use", {"device": "usb"}))
        order = await ears.expect(AsrUse)
        await ears.send(AsrUsing(parent_id=order.id, device="USB Microphone"))
        assert await using == {"device": "USB Microphone"}
        await ears.leave()
        assert (await show.get("/ears"))["running"] is False
        await ears.join()
        assert (await ears.expect(AsrMute)).muted
        listen = await ears.expect(AsrListen)
        assert (listen.conv, listen.mode) == (STAGE, "wake_word")
        again = await ears.expect(AsrUse)
        assert (again.device, again.again) == ("USB Microphone", True)


async def test_a_microphone_that_is_not_there(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        using = asyncio.create_task(show.post("/ears/use", {"device": "nobody"}, status=404))
        order = await ears.expect(AsrUse)
        await ears.send(AsrUsing(parent_id=order.id, device="", code="device_missing", message="There is none."))
        assert (await using)["error"]["code"] == "device_missing"
        looking = asyncio.create_task(show.get("/ears/devices"))
        look = await ears.expect(AsrLook)
        await ears.send(AsrState(parent_id=look.id, ears=EarsState(there=("A", "B"), default="A", chosen="B")))
        assert await looking == {"chosen": "B", "there": ["A", "B"], "default": "A", "trouble": ""}


async def test_a_file_is_sent_in_pieces_and_answered(tmp_path: Path) -> None:
    sound = bytes(range(256)) * (PIECE_BYTES // 256 * 2 + 3)
    async with talking(tmp_path) as (show, ears):
        asking = asyncio.create_task(show.http.post("/transcribe?language=en", content=sound))
        last = await ears.expect(AsrTranscribe, last=True)
        assert [(piece.part, piece.last) for piece in ears.all(AsrTranscribe)] == [(0, False), (1, False), (2, True)]
        payloads = [frame.payload for frame in ears.frames if isinstance(frame.message, AsrTranscribe)]
        assert b"".join(bytes(payload or b"") for payload in payloads) == sound
        assert last.language == "en"
        word = WordTime(word="hello", start_ms=10, end_ms=200, confidence=0.9)
        await ears.send(
            AsrTranscript(parent_id=last.id, file=last.file, text="hello", words=(word,), duration_ms=900, engine="x")
        )
        answer = (await asking).json()
        assert (answer["text"], answer["duration_ms"], answer["words"][0]["end_ms"]) == ("hello", 900, 200)


def words(count: int) -> tuple[WordTime, ...]:
    return tuple(WordTime(word=f"word{n}", start_ms=n * 300.0, end_ms=n * 300.0 + 200) for n in range(count))


async def test_an_hours_words_come_in_parts(tmp_path: Path) -> None:
    """Each is a frame that the hub takes; together they are more than one may hold."""
    whole = words(20_000)
    async with talking(tmp_path) as (show, ears):
        asking = asyncio.create_task(show.http.post("/transcribe", content=b"RIFF"))
        file = (await ears.expect(AsrTranscribe)).file
        parts = list(in_parts(AsrTranscript(file=file, text="an hour", words=whole, engine="x")))
        assert len(parts) > 2
        assert sum(len(encode(part)) for part in parts) > MAX_TEXT_BYTES
        for part in parts:
            await ears.send(part)
        answer = (await asking).json()
    assert (answer["text"], answer["engine"]) == ("an hour", "x")
    assert [word["word"] for word in answer["words"]] == [word.word for word in whole]
    assert answer["words"][0] == {"word": "word0", "start_ms": 0.0, "end_ms": 200.0, "confidence": 0.0}


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([{"part": 1}], 503, "ears_cut"),
        ([{"part": -1}], 503, "ears_cut"),
        ([{"part": 0, "last": False}, {"part": 0}], 503, "ears_cut"),
        ([{"part": 0, "last": False}, {"part": 2}], 503, "ears_cut"),
        ([{"part": n, "last": False, "words": words(9_000)} for n in range(12)], 422, "transcript_too_long"),
        ([{"part": 0, "last": False}, {"part": 1, "code": "ears_cut", "message": "No."}], 503, "ears_cut"),
    ],
)
async def test_parts_that_do_not_fit_together(
    tmp_path: Path, parts: list[dict[str, Any]], status: int, code: str
) -> None:
    async with talking(tmp_path) as (show, ears):
        asking = asyncio.create_task(show.http.post("/transcribe", content=b"RIFF"))
        file = (await ears.expect(AsrTranscribe)).file
        for part in parts:
            await ears.send(AsrTranscript(file=file, **part))
        answer = await asking
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        await ears.send(AsrTranscript(file=file, text="late"))  # nobody waits for it any more
        assert (await show.chat("still there?"))["outcome"] == "spoken"


async def test_who_leaves_in_the_middle_of_a_file_leaves_room(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        for _ in range(MAX_FILES + 1):
            reader, writer = await asyncio.open_connection("127.0.0.1", show.port)
            head = f"POST /transcribe HTTP/1.1\r\nhost: 127.0.0.1:{show.port}\r\nauthorization: Bearer {TOKEN}\r\n"
            writer.write(f"{head}content-length: 2000000\r\n\r\n".encode() + bytes(PIECE_BYTES + 1))
            await ears.expect(AsrTranscribe)
            writer.close()
            await writer.wait_closed()
            assert not await reader.read()
        asking = asyncio.create_task(show.http.post("/transcribe", content=b"RIFF"))
        last = await ears.expect(AsrTranscribe, last=True)
        await ears.send(AsrTranscript(file=last.file, text="done"))
        assert (await asking).json()["text"] == "done"


async def test_what_is_no_sound_is_said_so(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        asking = asyncio.create_task(show.http.post("/transcribe", content=b"garbage"))
        piece = await ears.expect(AsrTranscribe)
        await ears.send(AsrTranscript(file=piece.file, code="bad_sound_file", message="That is no sound file."))
        answer = await asking
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "bad_sound_file")
        answer = await show.http.post("/transcribe", content=b"")
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "empty_file")


async def test_ears_that_die_over_a_file(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        asking = asyncio.create_task(show.http.post("/transcribe", content=b"RIFF" * 100))
        await ears.expect(AsrTranscribe)
        await ears.kill()
        answer = await asking
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "asr_missing")


async def announced(port: int, size: int) -> int:
    """The status of a file that says it is so large."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /transcribe HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {TOKEN}\r\n"
    writer.write(f"{head}content-length: {size}\r\n\r\n".encode())
    async with asyncio.timeout(5):
        status = int((await reader.readline()).split()[1])
    writer.close()
    return status


async def test_files_that_are_too_large(tmp_path: Path) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range((MAX_BYTES >> 20) + 1):
            yield bytes(1 << 20)

    async with talking(tmp_path) as (show, ears):
        assert await announced(show.port, MAX_BYTES + 1) == 413
        answer = await show.http.post("/transcribe", content=unannounced())
        assert answer.status_code == 413
        assert not ears.all(AsrTranscribe, last=True)


async def test_only_so_many_at_once(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears):
        asking = [asyncio.create_task(show.http.post("/transcribe", content=b"RIFF")) for _ in range(MAX_FILES)]
        pieces = [await ears.expect(AsrTranscribe) for _ in range(MAX_FILES)]
        answer = await show.http.post("/transcribe", content=b"RIFF")
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "ears_busy")
        for piece in pieces:
            await ears.send(AsrTranscript(file=piece.file, text="done"))
        assert {task.json()["text"] for task in await asyncio.gather(*asking)} == {"done"}


async def test_ears_that_never_answer(tmp_path: Path) -> None:
    async def sound() -> AsyncIterator[bytes]:
        yield b"RIFF"

    async with talking(tmp_path) as (show, _):
        files = Files(show.show.hub, wait_s=0.05)
        with pytest.raises(KitsuError, match="too long") as caught:
            await files.transcribe(sound())
        assert caught.value.code == "ears_timeout"


async def test_ears_that_are_not_set_up(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        ears = FakeEars(show.port, TOKEN)
        ears.capabilities = Capabilities(features=("not_configured",))
        async with ears:
            for path, body in (("/transcribe", None), ("/ears/mute", None), ("/ears/mode", {"mode": "off"})):
                answer = await show.post(path, body, status=503)
                assert answer["error"]["code"] == "asr_missing"
                assert "KITSU__ASR__ENABLED" in answer["error"]["message"]


async def test_the_page_knows_the_ears_from_its_first_moment(tmp_path: Path) -> None:
    async with talking(tmp_path) as (show, ears), show.page() as page:
        first = await page.next()
        assert first["ears"]["engine"] == "fake_asr"
        said = await ears.starts()
        await ears.partial(said, "hello")
        assert (await page.until("asr.partial"))["text"] == "hello"
        assert counts(show) == {}
