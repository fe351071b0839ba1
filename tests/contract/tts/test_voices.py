"""What every voice must do. One suite, all engines."""

import asyncio
import time
from array import array
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kitsu.errors import EngineError
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines import ENGINES, make
from kitsu_tts.voice import MAX_TEXT, Chunk, Voice
from tests.fakes import coqui_library, piper_model
from tests.fakes.openai_speech import FakeSpeech

Floats = NDArray[np.float64]
ENGLISH = "Hello there, I am Kitsu, a slightly chaotic fox."
GERMAN = "Übermütige Füchse grüßen schöne Häuser, natürlich!"
MIXED = "Guten Morgen, my friends, heute spielen wir ein schönes game together!"
TWO = {  # two that one engine can be, without being loaded anew where it has several in one voice
    "espeak": ("en-us+f3", "de+m2"),
    "piper": ("en_US-two-low:speaker0", "en_US-two-low:speaker1"),
    "coqui": ("two:ann", "two:bob"),
    "coqui-xtts": ("clone:ann", "clone:mika"),
    "openai": ("alloy", "echo"),
    "openai-wav": ("alloy", "echo"),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with tiny voices in it."""
    home = tmp_path_factory.mktemp("home")
    piper_model.make(home / "models" / "piper")
    piper_model.make(home / "models" / "piper", "en_US-two-low", speakers=2)
    coqui_library.make(home)
    coqui_library.make(home, "two", speakers=True)
    coqui_library.record(coqui_library.make_xtts(home, people=("ann", "bob")), "mika", 310)
    return home


@pytest.fixture(params=TWO)
async def voice(request: pytest.FixtureRequest, models: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Voice]:
    engine, _, form = request.param.partition("-")
    monkeypatch.setenv("KITSU_HOME", str(models))
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeSpeech())
        own = {"wav": {"format": "wav"}, "xtts": {"voice": "clone", "accept_cpml": True}}.get(form, {})
        made = make(TtsSettings(engine=engine, base_url=fake.base_url, **own))  # type: ignore[arg-type]
        await made.load(stack)
        assert made.trouble == ""
        yield made


async def all_of(voice: Voice, text: str, name: str = "") -> list[Chunk]:
    async with aclosing(voice.speak(text, name)) as chunks:
        return [chunk async for chunk in chunks]


def samples(chunks: list[Chunk]) -> int:
    return sum(len(chunk.pcm) // 2 for chunk in chunks)


def timbre(chunks: list[Chunk]) -> Floats:
    """What a voice is made of: its spectrum up to 4 kHz in steps of 20 Hz, length 1."""
    pcm = np.frombuffer(b"".join(chunk.pcm for chunk in chunks), "<i2").astype(float)
    size = round(chunks[0].rate_hz / 20)
    frames = pcm[: len(pcm) // size * size].reshape(-1, size)
    levels = np.abs(np.fft.rfft(frames * np.hanning(size))).mean(axis=0)[:200]
    return levels / np.linalg.norm(levels)


def loudness(chunks: list[Chunk]) -> float:
    pcm = array("h", b"".join(chunk.pcm for chunk in chunks))
    return float((sum(s * s for s in pcm) / len(pcm)) ** 0.5)


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, MIXED, "5", "😀 !", "a\0b\x1b[31m", "\ud800 lone", "ﷺ", "İ" * 40])
async def test_speaks(voice: Voice, text: str) -> None:
    chunks = await all_of(voice, text)
    assert all(len(chunk.pcm) % 2 == 0 and chunk.pcm for chunk in chunks)
    assert len({chunk.rate_hz for chunk in chunks}) == 1
    assert loudness(chunks) > 500


async def test_length_fits_the_text(voice: Voice) -> None:
    chunks = await all_of(voice, ENGLISH)
    assert 1.5 < samples(chunks) / chunks[0].rate_hz < 5


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, MIXED])
async def test_visemes_and_words_lie_in_order_inside_the_sound(voice: Voice, text: str) -> None:
    chunks = await all_of(voice, text)
    visemes = [viseme for chunk in chunks for viseme in chunk.visemes]
    words = [word for chunk in chunks for word in chunk.words]
    total = samples(chunks)
    assert len(visemes) > 5
    assert all(a.at <= b.at for a, b in pairwise(visemes))
    assert all(a.at <= b.at and a.start < b.start and a.end <= b.start for a, b in pairwise(words))
    assert all(0 <= mark.at <= total for mark in (*visemes, *words))
    assert visemes[-1].viseme == "sil"
    if "word_marks" in voice.features:
        spoken = [text[word.start : word.end].strip(" ,.!") for word in words]
        written = [word.strip(" ,.!") for word in text.split()]
        assert [word for word in written if word in spoken] == spoken
        assert len(spoken) >= len(written) - 1  # eSpeak says "I am" as one word


@pytest.mark.parametrize("text", ["", " \n\t", "...", "?!", "\0\x07", "\u200b"])
async def test_nothing_to_say_is_an_error(voice: Voice, text: str) -> None:
    with pytest.raises(EngineError) as caught:
        await all_of(voice, text)
    assert caught.value.code == "nothing_to_say"
    assert not caught.value.retryable
    assert await all_of(voice, "Fine again.")


async def test_text_that_is_too_long_is_an_error(voice: Voice) -> None:
    with pytest.raises(EngineError) as caught:
        await all_of(voice, "fox " * MAX_TEXT)
    assert caught.value.code == "text_too_long"


async def test_much_text_comes_in_many_pieces(voice: Voice) -> None:
    chunks = await all_of(voice, "The fox is very quick. " * 20)
    assert len(chunks) > 50
    assert all(len(chunk.pcm) < 1 << 18 for chunk in chunks)


async def test_two_at_once_do_not_mix(voice: Voice) -> None:
    alone = samples(await all_of(voice, "One two three."))
    short, long = await asyncio.gather(all_of(voice, "One two three."), all_of(voice, ENGLISH * 3))
    assert samples(short) == pytest.approx(alone, rel=0.02)  # eSpeak's lengths wander by a few samples
    assert samples(long) > 3 * samples(short)


async def test_two_languages_in_one_text_are_both_said(voice: Voice) -> None:
    german, english = "Guten Morgen, liebe Leute,", "what a lovely day to play."
    apart = samples(await all_of(voice, german)) + samples(await all_of(voice, english))
    assert samples(await all_of(voice, f"{german} {english}")) == pytest.approx(apart, rel=0.3)


async def test_another_speaker_from_one_request_to_the_next(voice: Voice, request: pytest.FixtureRequest) -> None:
    one, other = TWO[request.node.callspec.params["voice"]]
    await voice.choose(one)
    first, second = timbre(await all_of(voice, ENGLISH)), timbre(await all_of(voice, ENGLISH, other))
    assert first @ second < 0.97, "somebody else speaks"
    assert first @ timbre(await all_of(voice, ENGLISH)) > 0.99, "and the first one again, who was chosen"
    both = await asyncio.gather(all_of(voice, ENGLISH, other), all_of(voice, ENGLISH, one))
    for chunks, expected in zip(both, (second, first), strict=True):
        assert timbre(chunks) @ expected > 0.99, "also when both are asked for at once"
    await voice.choose(other)
    assert timbre(await all_of(voice, ENGLISH)) @ second > 0.99


async def test_cancel_is_quick_and_leaves_the_voice_usable(voice: Voice) -> None:
    for _ in range(3):
        started = asyncio.Event()

        async def endless(started: asyncio.Event = started) -> None:
            async with aclosing(voice.speak("A very long story about foxes. " * 100)) as chunks:
                async for _ in chunks:
                    started.set()

        task = asyncio.create_task(endless())
        await started.wait()
        before = time.perf_counter()
        task.cancel()
        await asyncio.wait({task})
        assert time.perf_counter() - before < 0.02
        before = time.perf_counter()
        assert await all_of(voice, "Next.")
        assert time.perf_counter() - before < 0.25


async def test_closing_early_stops_it(voice: Voice) -> None:
    async with aclosing(voice.speak(ENGLISH)) as chunks:
        async for _ in chunks:
            break
    assert await all_of(voice, ENGLISH)


async def test_first_sound_comes_before_the_rest(voice: Voice) -> None:
    chunks = await all_of(voice, ENGLISH)
    assert samples(chunks[:1]) / chunks[0].rate_hz <= 0.11


def test_no_engine_is_left_out() -> None:
    assert {name.partition("-")[0] for name in TWO} == set(ENGINES)
