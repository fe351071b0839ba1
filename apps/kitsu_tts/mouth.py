"""Mouth shapes for a voice that does not tell its phonemes: by ear, from level and brightness.

Every 40 ms one shape: closed when it is quiet, teeth when the sound hisses (many zero crossings), wider the louder
it is against the loudest so far.
"""

from array import array
from itertools import pairwise
from operator import mul

from kitsu.protocol import Viseme, VisemeName

WINDOW_S = 0.04
QUIET = 200.0  # RMS of 16-bit samples, -44 dBFS
HISS = 0.25  # zero crossings a sample
_SHAPES: tuple[tuple[float, VisemeName], ...] = ((0.75, "aa"), (0.45, "E"), (0.25, "ih"), (0.1, "nn"))


class Mouth:
    """Follows one segment."""

    def __init__(self, rate_hz: int) -> None:
        self._window = max(1, round(WINDOW_S * rate_hz))
        self._loudest = 4 * QUIET
        self._position = 0  # samples of the segment before `_rest`
        self._rest = array("h")
        self._shape: VisemeName | None = None

    def feed(self, pcm: bytes, *, last: bool = False) -> tuple[Viseme, ...]:
        """Changes of shape in the next `pcm` (s16le mono); `last` closes the mouth."""
        self._rest.frombytes(pcm)
        changes: list[Viseme] = []
        while len(self._rest) >= self._window:
            self._show(self._shape_of(self._rest[: self._window]), changes)
            del self._rest[: self._window]
            self._position += self._window
        if last and self._shape is not None:
            self._show("sil", changes)
        return tuple(changes)

    def _show(self, shape: VisemeName, changes: list[Viseme]) -> None:
        if shape != self._shape:
            self._shape = shape
            changes.append(Viseme(at=self._position, viseme=shape))

    def _shape_of(self, samples: "array[int]") -> VisemeName:
        rms = (sum(map(mul, samples, samples)) / len(samples)) ** 0.5
        if rms < QUIET:
            return "sil"
        self._loudest = max(self._loudest * 0.995, rms)
        crossings = sum(1 for a, b in pairwise(samples) if (a < 0) != (b < 0))
        if crossings > HISS * len(samples):
            return "SS"
        level = rms / self._loudest
        return next((shape for threshold, shape in _SHAPES if level >= threshold), "PP")
