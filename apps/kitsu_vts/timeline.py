"""What is heard now: the clock's frames say what comes, its progress says where the audience is.

All positions are stream samples of the stage, as in `playout.frame`. Frames come about 80 ms before they are heard, so
the next mouth shapes are known ahead.
"""

from bisect import bisect_right
from typing import Any, NamedTuple

from kitsu.protocol import STREAM_RATE_HZ, BodyDirect, PlayoutFinished, PlayoutFrame, PlayoutProgress, VisemeName

MAX_SHAPES = 2000  # about three minutes of speech; the oldest go
MAX_SEGMENTS = 256  # that are remembered; the oldest go
JUMP = 0.15 * STREAM_RATE_HZ  # further off than that, the clock is believed at once
BLEND = 0.25  # of a smaller difference, each time


class _Shape(NamedTuple):
    position: int
    viseme: VisemeName


class Timeline:
    """Without I/O: every call says what time it is (s, any steady clock)."""

    def __init__(self) -> None:
        self.gen = 0
        self._shapes: list[_Shape] = []
        self._begins: dict[tuple[str, int], int] = {}
        self._directs: dict[tuple[str, int], BodyDirect] = {}
        self._end = 0  # position after the last frame
        self._anchor = (0.0, 0.0)  # time, position

    def position(self, now: float) -> float:
        """What the audience hears."""
        at, position = self._anchor
        return min(position + (now - at) * STREAM_RATE_HZ, self._end)

    def speaking(self, now: float) -> bool:
        """Whether something sounds."""
        return self.position(now) < self._end

    def direct(self, message: BodyDirect) -> None:
        """Face and gesture of a segment that will sound."""
        if message.gen < self.gen:
            return
        self._directs[message.turn_id, message.segment] = message
        _trim(self._directs)

    def frame(self, frame: PlayoutFrame, now: float) -> None:
        """The next piece of sound."""
        if frame.gen < self.gen or frame.samples <= 0:
            return
        self.gen = frame.gen
        if not self.speaking(now) or frame.position != self._end:  # after a pause, or a clock that began anew
            self._shapes.clear()
            self._anchor = (now, float(frame.position))
        self._begins.setdefault((frame.turn_id, frame.segment), frame.position)
        _trim(self._begins)
        self._shapes += [_Shape(frame.position + viseme.at, viseme.viseme) for viseme in frame.visemes]
        del self._shapes[:-MAX_SHAPES]
        self._end = frame.position + frame.samples

    def progress(self, progress: PlayoutProgress, now: float) -> None:
        """Where the audience is, the lag of whatever plays included."""
        begin = self._begins.get((progress.turn_id, progress.heard.segment))
        if begin is None or progress.gen < self.gen:
            return
        heard = begin + progress.heard.samples
        off = heard - self.position(now)
        self._anchor = (now, float(heard) if abs(off) > JUMP else self.position(now) + BLEND * off)

    def finished(self, message: PlayoutFinished) -> None:
        """A turn is over: what it did not reach will not come."""
        turn = message.turn_id
        self._directs = {key: value for key, value in self._directs.items() if key[0] != turn}
        self._begins = {key: value for key, value in self._begins.items() if key[0] != turn}

    def flush(self, gen: int) -> None:
        """Nothing older than `gen` sounds any more."""
        self.gen = max(self.gen, gen)
        self._shapes.clear()
        self._begins.clear()
        self._directs = {key: value for key, value in self._directs.items() if value.gen >= self.gen}
        self._end = 0
        self._anchor = (0.0, 0.0)

    def viseme(self, now: float, ahead_s: float) -> VisemeName:
        """The mouth shape `ahead_s` after what is heard now."""
        position = self.position(now) + ahead_s * STREAM_RATE_HZ
        if not self.speaking(now) or position >= self._end:
            return "sil"
        index = bisect_right(self._shapes, position, key=lambda shape: shape.position)
        return self._shapes[index - 1].viseme if index else "sil"

    def due(self, now: float, ahead_s: float) -> list[BodyDirect]:
        """Faces and gestures whose segment is reached; each once."""
        position = self.position(now) + ahead_s * STREAM_RATE_HZ
        reached = [key for key in self._directs if self._begins.get(key, position + 1) <= position]
        return [self._directs.pop(key) for key in reached]


def _trim(table: dict[tuple[str, int], Any]) -> None:
    while len(table) > MAX_SEGMENTS:
        del table[next(iter(table))]
