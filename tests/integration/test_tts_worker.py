"""The voice's worker over a real websocket."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kitsu.protocol import (
    Approved,
    ControlPanic,
    HelloAccepted,
    Panic,
    PanicConfirmed,
    PlayoutOpen,
    ServiceError,
    ServiceHealth,
    Speech,
    TtsAudio,
    TtsCancel,
    TtsFailed,
    TtsFinished,
    TtsSynthesize,
)
from kitsu.protocol.approved import seal
from kitsu_tts.worker import TtsWorker
from tests.fakes import openai_speech
from tests.fakes.hub import SEAL_KEY, FakeHub, joined
from tests.fakes.openai_speech import FakeSpeech

LONG = "A very long story about foxes and what they eat. " * 60


def say(
    text: str, *, segment: int = 0, gen: int = 1, turn: str = "t1", key: bytes = SEAL_KEY, voice: str = ""
) -> TtsSynthesize:
    speech = Approved[Speech](text=text, surface="speech", turn_id=turn, seal=seal(key, text, "speech", turn))
    return TtsSynthesize(conv="stage", turn_id=turn, gen=gen, segment=segment, speech=speech, voice=voice)


@asynccontextmanager
async def espeak(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeHub]:
    async with FakeHub() as hub, joined(TtsWorker, hub, folder, monkeypatch):
        yield hub


async def test_a_segment_from_start_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with espeak(tmp_path, monkeypatch) as hub:
        request = say("Hello there, I am Kitsu.")
        await hub.send(request)
        finished = await hub.expect(TtsFinished)
        chunks = [frame for frame in hub.frames if isinstance(frame.message, TtsAudio)]
        position = 0
        for index, (audio, payload) in enumerate(chunks):
            assert isinstance(audio, TtsAudio)
            assert payload is not None
            assert (audio.conv, audio.turn_id, audio.gen, audio.parent_id) == ("stage", "t1", 1, request.id)
            assert (audio.segment, audio.chunk, audio.position) == (0, index, position)
            position += len(payload) // 2
        assert (finished.reason, finished.samples, finished.rate_hz) == ("done", position, 22050)
        assert finished.engine == "espeak"
        assert hub.hellos[0].capabilities.features == ("word_marks", "exact_visemes")
        assert hub.frames.index(chunks[-1]) < [f.message for f in hub.frames].index(finished)


async def test_first_sound_is_quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with espeak(tmp_path, monkeypatch) as hub:
        times = []
        for turn in range(20):
            await hub.send(say("Hello there, I am Kitsu.", turn=f"t{turn}"))
            times.append((await hub.expect(TtsFinished)).first_chunk_ms)
        assert sorted(times)[10] < 5


async def test_cancel_ends_only_what_is_older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSpeech() as fake, FakeHub() as hub:
        settings = [("tts.engine", "openai"), ("tts.base_url", fake.base_url)]
        async with joined(TtsWorker, hub, tmp_path, monkeypatch, settings):
            fake.respond = openai_speech.slow
            await hub.send(say(LONG, gen=1, turn="old"))
            await hub.send(say(LONG, gen=1, turn="old", segment=1))
            await hub.expect(TtsAudio, segment=0)
            await hub.expect(TtsAudio, segment=1)
            before = time.perf_counter()
            await hub.send(TtsCancel(conv="stage", gen=2))
            for segment in (0, 1):
                finished = await hub.expect(TtsFinished, segment=segment)
                assert finished.reason == "cancelled"
                assert finished.samples > 0
            assert time.perf_counter() - before < 0.05
            await fake.left.wait()
            fake.respond = openai_speech.stream_asked
            await hub.send(say("too late", gen=1, turn="old", segment=2))
            assert (await hub.expect(TtsFinished, segment=2)).reason == "cancelled"
            await hub.send(say("fresh", gen=2, turn="new"))
            assert (await hub.expect(TtsFinished, turn_id="new")).reason == "done"


async def test_a_turn_is_cancelled_within_its_generation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSpeech() as fake, FakeHub() as hub:
        settings = [("tts.engine", "openai"), ("tts.base_url", fake.base_url)]
        async with joined(TtsWorker, hub, tmp_path, monkeypatch, settings):
            fake.respond = openai_speech.slow
            for turn in ("sounds", "unheard"):
                await hub.send(say(LONG, gen=1, turn=turn))
                await hub.expect(TtsAudio, turn_id=turn)
            await hub.send(TtsCancel(conv="stage", turn_id="unheard", gen=1))
            assert (await hub.expect(TtsFinished, turn_id="unheard")).reason == "cancelled"
            await hub.expect(TtsAudio, turn_id="sounds")
            await hub.send(TtsCancel(conv="stage", turn_id="sounds", gen=2))
            assert (await hub.expect(TtsFinished)).turn_id == "sounds"


async def test_one_turns_cancel_leaves_the_others_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess of a generation ahead is dropped: what the running turn says next is still voiced."""
    async with espeak(tmp_path, monkeypatch) as hub:
        await hub.send(TtsCancel(conv="stage", turn_id="guess", gen=9))
        await hub.send(say("And this comes next.", gen=1, turn="running"))
        assert (await hub.expect(TtsFinished, turn_id="running")).reason == "done"
        await hub.send(TtsCancel(conv="stage", gen=9))
        await hub.send(say("And this is too late.", gen=1, turn="running"))
        assert (await hub.expect(TtsFinished, turn_id="running")).reason == "cancelled"


async def test_more_requests_than_slots_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with espeak(tmp_path, monkeypatch) as hub:
        for segment in range(20):
            await hub.send(say(f"Line number {segment}.", segment=segment))
        for segment in range(20):
            assert (await hub.expect(TtsFinished, segment=segment)).reason == "done"


async def test_panic_stops_all_and_confirms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSpeech() as fake, FakeHub() as hub:
        settings = [("tts.engine", "openai"), ("tts.base_url", fake.base_url)]
        async with joined(TtsWorker, hub, tmp_path, monkeypatch, settings):
            fake.respond = openai_speech.slow
            await hub.send(say(LONG))
            await hub.expect(TtsAudio)
            await hub.send(ControlPanic(panic=Panic(panic_id="p1", pressed_at=1, by="test"), gens={"stage": 2}))
            confirmed = await hub.expect(PanicConfirmed, panic_id="p1")
            assert confirmed.exit == "voice"
            assert confirmed.latency_ms < 20
            assert (await hub.expect(TtsFinished)).reason == "cancelled"


@pytest.mark.parametrize(
    "forged",
    [
        say("free text", key=bytes(32)),
        TtsSynthesize(conv="stage", turn_id="t2", gen=1, segment=0, speech=say("said", turn="t1").speech),
        TtsSynthesize(
            conv="stage",
            turn_id="t1",
            gen=1,
            segment=0,
            speech=Approved(text="x", surface="caption", turn_id="t1", seal=seal(SEAL_KEY, "x", "caption", "t1")),
        ),
    ],
)
async def test_text_without_the_gates_seal_is_refused(
    forged: TtsSynthesize, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with espeak(tmp_path, monkeypatch) as hub:
        await hub.send(forged)
        assert (await hub.expect(TtsFailed)).code == "bad_seal"
        assert (await hub.expect(ServiceError)).code == "bad_seal"
        assert not hub.all(TtsAudio)
        await hub.send(say("fine", turn="t9"))
        await hub.expect(TtsFinished, turn_id="t9")


async def test_typed_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with espeak(tmp_path, monkeypatch) as hub:
        await hub.send(say("..."))
        assert (await hub.expect(TtsFailed)).code == "nothing_to_say"
        await hub.send(say("hello", voice="xx-none"))
        failed = await hub.expect(TtsFailed)
        assert (failed.code, failed.engine, failed.retryable) == ("no_such_voice", "espeak", False)
        await hub.send(PlayoutOpen(conv="stage"))  # not for us: logged, nothing else
        await hub.send(say("still here"))
        await hub.expect(TtsFinished)


async def test_a_dead_server_degrades_and_recovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSpeech() as fake, FakeHub() as hub:
        fake.respond = openai_speech.answer(b"{}", "application/json", status="503 Loading")
        settings = [("tts.engine", "openai"), ("tts.base_url", fake.base_url)]
        async with joined(TtsWorker, hub, tmp_path, monkeypatch, settings):
            assert "503" in (await hub.expect(ServiceHealth, state="degraded")).reason
            fake.respond = openai_speech.stream_asked
            await hub.send(say("hello"))
            await hub.expect(TtsFinished)
            await hub.expect(ServiceHealth, state="ok")


async def test_a_lost_hub_stops_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeSpeech() as fake, FakeHub() as hub:
        settings = [("tts.engine", "openai"), ("tts.base_url", fake.base_url)]
        async with joined(TtsWorker, hub, tmp_path, monkeypatch, settings):
            fake.respond = openai_speech.slow
            await hub.send(say(LONG))
            await hub.expect(TtsAudio)
            await hub.drop()
            await fake.left.wait()
            await hub.joins(2)
            await hub.send(HelloAccepted(session="odd", levels=hub.levels))  # out of place: ignored
            fake.respond = openai_speech.stream_asked
            await hub.send(say("again", turn="t2"))
            assert (await hub.expect(TtsFinished, turn_id="t2")).reason == "done"
