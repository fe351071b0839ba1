"""What only eSpeak promises."""

import math
from array import array
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing

import pytest

from kitsu.errors import ConfigError, EngineError
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines.espeak import EspeakVoice


@pytest.fixture
async def voice() -> AsyncIterator[EspeakVoice]:
    async with AsyncExitStack() as stack:
        made = EspeakVoice(TtsSettings())
        await made.load(stack)
        yield made


async def samples_of(voice: EspeakVoice, text: str, name: str = "") -> "array[int]":
    async with aclosing(voice.speak(text, name)) as chunks:
        return array("h", b"".join([chunk.pcm async for chunk in chunks]))


async def test_speech_begins_at_once_and_is_loud_enough(voice: EspeakVoice) -> None:
    samples = await samples_of(voice, "Hello there, I am Kitsu, what shall we play?")
    assert any(abs(sample) > 64 for sample in samples[:200])
    loud = [s for s in samples if abs(s) > 60]
    level_db = 20 * math.log10((sum(s * s for s in loud) / len(loud)) ** 0.5 / 32768) + voice.gain_db
    assert -20 < level_db < -15


async def test_the_pause_after_it_follows_its_punctuation(voice: EspeakVoice) -> None:
    def silent_tail(samples: "array[int]") -> int:
        return next(index for index, sample in enumerate(reversed(samples)) if abs(sample) > 64)

    tails = [silent_tail(await samples_of(voice, f"the quick fox{mark}")) for mark in ("", ",", ".")]
    assert tails[0] < 1500 < tails[1] < 3000 < tails[2]


@pytest.mark.parametrize("name", ["xx-none", "en-us+nobody", "en-us+../../lang", "\0", "en-us+"])
async def test_unknown_voices(voice: EspeakVoice, name: str) -> None:
    if name == "en-us+":
        assert await samples_of(voice, "hello", name)
        return
    with pytest.raises(EngineError) as caught:
        await samples_of(voice, "hello", name)
    assert caught.value.code == "no_such_voice"
    assert await samples_of(voice, "hello")


async def test_an_unknown_voice_in_the_settings_stops_the_start() -> None:
    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigError) as caught:
            await EspeakVoice(TtsSettings(voice="klingon+f9")).load(stack)
    assert caught.value.code == "no_such_voice"
