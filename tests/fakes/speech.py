"""Spoken English for tests, by eSpeak NG: sound whose words are known. Synthetic, so that error rates mean little."""

import asyncio
import io
import wave
from contextlib import AsyncExitStack, aclosing
from functools import cache

import numpy as np
import soxr
from numpy.typing import NDArray

from kitsu_tts.config import TtsSettings
from kitsu_tts.engines import make

RATE_HZ = 16_000
Samples = NDArray[np.float32]


@cache
def spoken(text: str, voice: str = "en-us") -> Samples:
    """The text, 16 kHz mono, about -20 dBFS. Synthesised in a loop of its own: call it from tests without one."""
    return asyncio.run(speak(text, voice))


async def speak(text: str, voice: str = "en-us") -> Samples:
    """The same within a loop."""
    async with AsyncExitStack() as stack:
        engine = make(TtsSettings(engine="espeak", voice=voice, pitch=50, liveliness=50, rate=0.8))
        await engine.load(stack)
        async with aclosing(engine.speak(text, "")) as chunks:
            parts = [(chunk.rate_hz, chunk.pcm) async for chunk in chunks]
    pcm = np.frombuffer(b"".join(part for _, part in parts), "<i2").astype(np.float32) / 32768
    sound: Samples = soxr.resample(pcm, parts[0][0], RATE_HZ).astype(np.float32)
    return sound * np.float32(0.1 / max(1e-6, float(np.sqrt(np.mean(sound**2)))))


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def noise(seconds: float, dbfs: float, seed: int = 1) -> Samples:
    """White, always the same."""
    made = np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ)).astype(np.float32)
    return made * np.float32(10 ** (dbfs / 20))


def wav(sound: Samples, rate_hz: int = RATE_HZ) -> bytes:
    """As a file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(sound, -1, 32767 / 32768) * 32768).astype("<i2").tobytes())
    return out.getvalue()
