"""Spoken English whose words are known: by eSpeak NG, and by flite or an installed Piper voice where there is one."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import wave
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import msgspec
import numpy as np
import soxr
from numpy.typing import NDArray

from kitsu_tts.config import TtsSettings
from kitsu_tts.engines import make
from kitsu_tts.installed import voices

Samples = NDArray[np.float32]
RATE_HZ = 16_000
FLITE = os.environ.get("FLITE", "flite")
FLITE_VOICES = ("slt", "rms", "awb")
ESPEAK_VOICES = ("en-us", "en-us+f3")
HERS = "espeak/en-us+f3"


def synthesisers() -> list[str]:
    """Voices as "ENGINE/VOICE"; of two synthesisers where the machine has them."""
    found = [f"espeak/{voice}" for voice in ESPEAK_VOICES]
    if shutil.which(FLITE):
        return [*found, *(f"flite/{voice}" for voice in FLITE_VOICES)]
    return [*found, *(voice for voice in voices() if voice.startswith("piper/en"))][:5]


async def say(text: str, voice: str, dbfs: float = -20.0) -> Samples:
    """The text at 16 kHz, its RMS at `dbfs`."""
    engine, _, name = voice.partition("/")
    if engine == "flite":
        sound = await asyncio.to_thread(_flite, text, name)
    else:
        sound = await _kitsu(text, engine, name)
    rms = float(np.sqrt(np.mean(sound**2)))
    return sound * np.float32(10 ** (dbfs / 20) / max(rms, 1e-6))


def noise(seconds: float, dbfs: float, seed: int = 1) -> Samples:
    """White."""
    made = np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ)).astype(np.float32)
    return made * np.float32(10 ** (dbfs / 20))


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE_HZ), np.float32)


def padded(sound: Samples, before_s: float, after_s: float) -> Samples:
    return np.concatenate((silence(before_s), sound, silence(after_s)))


def mixed(one: Samples, other: Samples) -> Samples:
    """Both at once, as long as the longer one."""
    out = np.zeros(max(len(one), len(other)), np.float32)
    out[: len(one)] += one
    out[: len(other)] += other
    return out


def room(sound: Samples, gain: float, delay_s: float) -> Samples:
    """As a microphone in the same room hears it: late, softer, with a few echoes from the walls."""
    out = np.zeros(len(sound) + RATE_HZ, np.float32)
    for later_s, part in ((0.0, 1.0), (0.019, 0.4), (0.056, 0.25), (0.106, 0.12)):
        start = int((delay_s + later_s) * RATE_HZ)
        out[start : start + len(sound)] += sound * np.float32(gain * part)
    return out


def _flite(text: str, voice: str) -> Samples:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        subprocess.run([FLITE, "-voice", voice, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as file:
            data, rate = file.readframes(file.getnframes()), file.getframerate()
    return _at_rate(np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32) / np.float32(32768), rate)


async def _kitsu(text: str, engine: str, name: str) -> Samples:
    settings = {"engine": engine, "voice": name, "pitch": 50, "liveliness": 50, "rate": 0.85}
    async with AsyncExitStack() as stack:
        voice = make(msgspec.convert(settings, TtsSettings))
        await voice.load(stack)
        async with aclosing(voice.speak(text)) as chunks:
            parts = [(chunk.rate_hz, chunk.pcm) async for chunk in chunks]
    return _at_rate(
        np.frombuffer(b"".join(pcm for _, pcm in parts), "<i2").astype(np.float32) / np.float32(32768), parts[0][0]
    )


def _at_rate(sound: Samples, rate: int) -> Samples:
    out: Samples = soxr.resample(sound, rate, RATE_HZ).astype(np.float32)
    return out
