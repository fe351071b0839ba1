"""From a voice's PCM to the stream's: 48 kHz, the show's level, nothing over the ceiling, no clicks.

No look-ahead anywhere: what comes in goes out at once, less `EDGE` samples that wait for the segment's end.
"""

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from kitsu.protocol import STREAM_RATE_HZ

Floats = NDArray[np.float32]
Samples = NDArray[np.int16]

EDGE = 96
"""Samples (2 ms) that fade in and out at a segment's borders."""

_BLOCK = 48  # samples, 1 ms: the limiter moves its gain in straight lines of this length
_RELEASE = 10 ** (0.12 / 20)  # a block: 120 dB/s back up
_FULL_SCALE = 32768.0


def ratio(db: float) -> float:
    """Decibels to a factor."""
    return float(10 ** (db / 20))


def fade(samples: Samples, *, out: bool = False) -> Samples:
    """`samples`, rising from silence over their whole length, or falling to it."""
    ramp = np.arange(1, len(samples) + 1, dtype=np.float32) / (len(samples) + 1)
    return (samples * (ramp[::-1] if out else ramp)).astype(np.int16)


class Volume:
    """What the operator turns: percent, squared, so that half the way sounds about half as loud. It never clicks."""

    def __init__(self) -> None:
        self.percent = 100
        self._gain = 1.0

    def apply(self, samples: Samples) -> Samples:
        """The samples at the volume; a change is spread over all of them."""
        target = (self.percent / 100) ** 2
        if target == self._gain == 1.0:
            return samples
        ramp = np.linspace(self._gain, target, len(samples), dtype=np.float32)
        self._gain = target
        return (samples * ramp).astype(np.int16)


class Limiter:
    """Keeps |sample| at or under a ceiling. Its gain falls at once and rises slowly."""

    def __init__(self, ceiling_db: float) -> None:
        self._ceiling = ratio(ceiling_db)
        self._gain = 1.0

    def process(self, samples: Floats) -> Floats:
        """float32 (n,), full scale 1.0, any level."""
        if not len(samples):
            return samples
        peaks = np.maximum.reduceat(np.abs(samples), np.arange(0, len(samples), _BLOCK))
        if self._gain == 1.0 and peaks.max() <= self._ceiling:
            return samples
        return (samples * self._curve(peaks, len(samples))).astype(np.float32)

    def _curve(self, peaks: Floats, count: int) -> NDArray[np.float64]:
        allowed = np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9))
        knots = np.empty(len(peaks) + 1)
        knots[0] = min(self._gain, allowed[0])
        for index in range(len(peaks)):  # a line between two knots stays under what both its blocks allow
            ahead = min(allowed[index], allowed[min(index + 1, len(peaks) - 1)])
            knots[index + 1] = min(ahead, knots[index] * _RELEASE, 1.0)
        self._gain = float(knots[-1])
        ends = np.minimum(np.arange(len(knots)) * _BLOCK, count)
        return np.interp(np.arange(count), ends, knots)


class Mixer:
    """One segment's way from the voice to the stream."""

    def __init__(self, rate_hz: int, gain_db: float, ceiling_db: float) -> None:
        self.rate_hz = rate_hz
        self._gain = ratio(gain_db) / _FULL_SCALE
        self._limiter = Limiter(ceiling_db)
        self._resampler: Any = None
        if rate_hz != STREAM_RATE_HZ:  # QQ lags 0.1 ms; better ones 20 to 30 ms
            self._resampler = soxr.ResampleStream(rate_hz, STREAM_RATE_HZ, 1, dtype="float32", quality="QQ")
        self._edge: Samples = np.zeros(0, np.int16)
        self._rising = 0  # samples of the fade in that were played

    def feed(self, pcm: bytes | memoryview) -> Samples:
        """Stream samples that are ready after the next `pcm` (s16le mono at `rate_hz`, whole samples)."""
        samples = np.frombuffer(pcm, np.int16).astype(np.float32) * self._gain
        ready = np.concatenate((self._edge, self._convert(samples, last=False)))
        self._edge, ready = ready[-EDGE:], ready[:-EDGE]
        return self._risen(ready)

    def finish(self) -> Samples:
        """The rest."""
        rest = np.concatenate((self._edge, self._convert(np.zeros(0, np.float32), last=True)))
        self._edge = rest[:0]
        edge = min(EDGE, len(rest))
        rest[len(rest) - edge :] = fade(rest[len(rest) - edge :], out=True)
        return self._risen(rest)

    def _convert(self, samples: Floats, *, last: bool) -> Samples:
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=last)
        limited = self._limiter.process(samples)
        samples16: Samples = np.clip(np.rint(limited * _FULL_SCALE), -32768, 32767).astype(np.int16)
        return samples16

    def _risen(self, ready: Samples) -> Samples:
        edge = min(EDGE - self._rising, len(ready))
        if edge <= 0:
            return ready
        ramp = np.arange(self._rising + 1, self._rising + edge + 1, dtype=np.float32) / (EDGE + 1)
        self._rising += edge
        return np.concatenate(((ready[:edge] * ramp).astype(np.int16), ready[edge:]))
