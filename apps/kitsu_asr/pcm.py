"""Samples: 16 kHz mono, float32 in -1 … 1 inside the ears, s16le on every wire."""

import math

import numpy as np
import soxr
from numpy.typing import NDArray

from kitsu.protocol import EARS_RATE_HZ

Samples = NDArray[np.float32]

SILENCE_DBFS = -120.0
MIN_RATE_HZ, MAX_RATE_HZ = 8_000, 192_000


def from_s16(data: bytes | memoryview) -> Samples:
    """Of s16le; half a sample at the end is let go."""
    whole = memoryview(data)[: len(data) // 2 * 2]
    return np.frombuffer(whole, "<i2").astype(np.float32) / 32768.0


def to_s16(samples: Samples) -> bytes:
    """As s16le; clipped."""
    return (np.clip(samples, -1.0, 32767 / 32768) * 32768.0).astype("<i2").tobytes()


def clean(samples: Samples) -> Samples:
    """What is no number becomes silence, what is out of range is clipped."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0).astype(np.float32)


def dbfs(samples: Samples) -> float:
    """RMS level; a full-scale square wave has 0."""
    power = float(np.dot(samples, samples)) / max(1, len(samples))
    return 10 * math.log10(power) if power > 1e-12 else SILENCE_DBFS


class Resampler:
    """A stream brought to 16 kHz. LQ lags 3 ms here, and recognisers hear no difference to HQ (10 ms)."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._stream = None if rate_hz == EARS_RATE_HZ else soxr.ResampleStream(rate_hz, EARS_RATE_HZ, 1, quality="LQ")

    def feed(self, samples: Samples, *, last: bool = False) -> Samples:
        """What is ready of it."""
        if self._stream is None:
            return samples
        out: Samples = self._stream.resample_chunk(samples, last=last)
        return out


class Frames:
    """Cuts a stream into frames of equal length."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rest = np.zeros(0, np.float32)

    def feed(self, samples: Samples) -> list[Samples]:
        """Whole frames; the rest waits."""
        joined = np.concatenate((self._rest, samples)) if len(self._rest) else samples
        whole = len(joined) // self._size * self._size
        self._rest = joined[whole:].copy()
        return [joined[at : at + self._size] for at in range(0, whole, self._size)]
