"""A voice that fails, hangs or garbles is replaced where it broke off."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import ClassVar

import numpy as np
import pytest

from kitsu.errors import EngineError
from kitsu.protocol import Viseme, WordMark
from kitsu_tts.breaker import FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker
from kitsu_tts.config import TtsSettings
from kitsu_tts.rack import Place, VoiceRack
from kitsu_tts.voice import Chunk, Voice

TEXT = "One two three four five six seven eight nine ten."
WORD_S = 0.3
CHUNK_S = 0.1


def tone(seconds: float, rate_hz: int, hz: float = 220.0) -> bytes:
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    return bytes((8000 * np.sin(2 * np.pi * hz * times)).astype("<i2").tobytes())


class Scripted(Voice):
    """Hums each word; `trouble_at` words into a text, something happens."""

    name: ClassVar[str] = "scripted"

    def __init__(self, name: str, rate_hz: int, happens: str = "", after_words: int = 0, gain_db: float = 0.0) -> None:
        super().__init__(TtsSettings(gain_db=gain_db))
        self.name = name  # type: ignore[misc]  # one class plays several engines
        self.rate_hz = rate_hz
        self.happens = happens
        self.after_words = after_words
        self.asked: list[str] = []
        self.begun = asyncio.Event()
        self.closed = 0

    async def load(self, stack: AsyncExitStack) -> None:
        pass

    async def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        self.asked.append(text)
        self.begun.set()
        try:
            at, start = 0, 0
            for count, word in enumerate(text.split()):
                if count == self.after_words and self.happens:
                    async for chunk in self._happen():
                        yield chunk
                start = text.index(word, start)
                marks = (WordMark(at=at, start=start, end=start + len(word)),)
                for piece in range(round(WORD_S / CHUNK_S)):
                    shapes = (Viseme(at=at, viseme="aa"),)
                    yield Chunk(tone(CHUNK_S, self.rate_hz), self.rate_hz, shapes, marks if not piece else ())
                    at += round(CHUNK_S * self.rate_hz)
                start += len(word)
        finally:
            self.closed += 1

    async def _happen(self) -> AsyncGenerator[Chunk, None]:
        match self.happens:
            case "dies":
                raise EngineError("voice_cut", "the voice's process ended", retryable=True)
            case "hangs":
                await asyncio.Event().wait()
            case "garbles":
                noise = np.random.default_rng(7).integers(-30_000, 30_000, self.rate_hz, dtype=np.int16)
                yield Chunk(noise.tobytes(), self.rate_hz)
            case "half":
                yield Chunk(b"\0", self.rate_hz)
            case "silent":
                for _ in range(30):
                    yield Chunk(bytes(self.rate_hz // 5), self.rate_hz)
            case "runs away":
                while True:
                    yield Chunk(tone(CHUNK_S, self.rate_hz), self.rate_hz)
            case "fault":
                raise EngineError("nothing_to_say", "no letters")


def rack_of(*voices: Scripted, **settings: object) -> tuple[VoiceRack, list[EngineError]]:
    told: list[EngineError] = []
    rack = VoiceRack(TtsSettings(first_sound_timeout_s=0.3, **settings), told.append)  # type: ignore[arg-type]
    rack.places = [Place(voice.name, voice.settings, voice) for voice in voices]
    return rack, told


async def heard(rack: VoiceRack, text: str = TEXT) -> list[Chunk]:
    async with aclosing(rack.speak(text)) as chunks:
        return [chunk async for chunk in chunks]


def words_of(chunks: list[Chunk], text: str = TEXT) -> list[str]:
    return [text[word.start : word.end] for chunk in chunks for word in chunk.words]


async def test_a_well_voice_is_passed_on_as_it_is() -> None:
    rack, told = rack_of(Scripted("first", 24_000, gain_db=3.0), Scripted("second", 22_050))
    chunks = await heard(rack)
    assert {(chunk.engine, chunk.rate_hz, chunk.gain_db) for chunk in chunks} == {("first", 24_000, 3.0)}
    assert words_of(chunks) == TEXT.split()
    assert told == []
    assert rack.trouble == ""


@pytest.mark.parametrize("happens", ["dies", "hangs", "garbles", "half", "silent"])
async def test_trouble_before_a_word_is_heard_costs_only_time(happens: str) -> None:
    first, second = Scripted("first", 24_000, happens), Scripted("second", 22_050)
    rack, told = rack_of(first, second)
    chunks = await heard(rack)
    assert chunks[-1].engine == "second"
    assert second.asked == [TEXT]
    assert [error.code for error in told] == ["voice_fallback"]
    assert "second speaks instead" in told[0].message
    assert "second speaks instead" in rack.trouble
    assert first.closed == 1


@pytest.mark.parametrize("happens", ["dies", "hangs", "garbles"])
async def test_the_next_voice_goes_on_in_the_middle(happens: str) -> None:
    """No word is lost, none is said twice but perhaps the one at the seam, and the wait stays under a second."""
    first = Scripted("first", 24_000, happens, after_words=4)
    second = Scripted("second", 22_050, gain_db=6.0)
    rack, told = rack_of(first, second)
    came, samples = [], 0
    began = time.perf_counter()
    gap_s = 0.0
    async with aclosing(rack.speak(TEXT)) as chunks:
        async for chunk in chunks:
            gap_s = max(gap_s, time.perf_counter() - began - samples / 24_000)
            samples += len(chunk.pcm) // 2
            came.append(chunk)
    assert gap_s < 1.0
    assert [error.code for error in told] == ["voice_fallback"]
    assert {chunk.rate_hz for chunk in came} == {24_000}
    assert {chunk.gain_db for chunk in came} == {0.0}
    words = words_of(came)
    assert list(dict.fromkeys(words)) == TEXT.split()
    assert len(words) <= len(TEXT.split()) + 1
    marks = [word.at for chunk in came for word in chunk.words]
    assert marks == sorted(marks)
    assert 0 <= marks[-1] < samples
    level = [np.abs(np.frombuffer(c.pcm, "<i2")).max() for c in came if c.engine == "second"]
    assert max(level) == pytest.approx(8000 * 10 ** (6 / 20), rel=0.05), "6 dB more, as the second voice wants"


async def test_a_voice_that_runs_away_is_stopped() -> None:
    rack, told = rack_of(Scripted("first", 24_000, "runs away"), Scripted("second", 24_000))
    chunks = await heard(rack, "Hi there.")
    assert sum(len(chunk.pcm) for chunk in chunks) / 48_000 < 12
    assert [error.code for error in told] == ["voice_fallback"]


async def test_a_fault_of_the_text_is_nobodys_failure() -> None:
    first, second = Scripted("first", 24_000, "fault"), Scripted("second", 24_000)
    rack, told = rack_of(first, second)
    with pytest.raises(EngineError, match="nothing_to_say"):
        await heard(rack)
    assert (told, second.asked) == ([], [])
    assert rack.trouble == ""


async def test_when_nobody_is_left_it_is_an_error_and_everybody_was_asked() -> None:
    first, second = Scripted("first", 24_000, "dies"), Scripted("second", 24_000, "dies")
    rack, _ = rack_of(first, second)
    for _ in range(2):  # with both breakers open they are asked all the same: rather that than silence
        with pytest.raises(EngineError, match="voice_cut"):
            await heard(rack)
    assert len(first.asked) == len(second.asked) == 2


async def test_a_failed_voice_is_left_alone_for_a_while_and_comes_back() -> None:
    now = [0.0]
    first, second = Scripted("first", 24_000, "dies"), Scripted("second", 24_000)
    rack, _ = rack_of(first, second)
    rack._clock = lambda: now[0]
    await heard(rack)
    await heard(rack)
    assert len(first.asked) == 1
    first.happens = ""
    now[0] = FIRST_PAUSE_S
    assert (await heard(rack))[0].engine == "first"
    assert rack.trouble == ""


async def test_cancelling_stops_the_engine_at_once() -> None:
    first = Scripted("first", 24_000, "hangs", after_words=2)
    rack, told = rack_of(first, Scripted("second", 24_000))
    task = asyncio.create_task(heard(rack))
    await first.begun.wait()
    task.cancel()
    await asyncio.wait({task})
    assert (first.closed, told) == (1, [])


def test_a_breaker_waits_longer_each_time() -> None:
    breaker = Breaker()
    pauses = []
    now = 0.0
    for _ in range(10):
        breaker.failed(now)
        pause = next(s / 10 for s in range(100_000) if breaker.allows(now + s / 10))
        pauses.append(pause)
        now += pause
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert max(pauses) == LONGEST_PAUSE_S
    breaker.worked()
    breaker.failed(now)
    assert breaker.allows(now + FIRST_PAUSE_S)
