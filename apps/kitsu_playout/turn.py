"""One turn: its segments in order, and how far they were played."""

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np

from kitsu.protocol import STREAM_RATE_HZ, Clock, PlayoutFinished, PlayoutOpen, SegmentHeard
from kitsu_playout.mixer import EDGE, Samples, fade
from kitsu_playout.segment import Segment

EndReason = Literal["played", "flushed", "paused", "panic", "lost"]
MS = STREAM_RATE_HZ / 1000


class Block(NamedTuple):
    """Sound of one segment, as it goes out."""

    segment: Segment
    at: int  # position in the segment
    samples: Samples


@dataclass(eq=False)
class Turn:
    """Positions are stream samples from the turn's start."""

    conv: str
    turn_id: str
    gen: int
    clock: Clock
    segments: dict[int, Segment] = field(default_factory=dict)
    count: int | None = None  # segments in all, once known
    start: int = -1  # stream position of its first sample; -1: not begun
    played: int = 0  # samples given to the sinks
    first_audio_at: float = -1.0  # when its first chunk came
    stalls: int = 0
    stall_s: float = 0.0
    muted: bool = False
    sounding: int = -1  # segment of the last progress report
    _current: int = 0  # segment that is read next
    _silent: bool = False

    @classmethod
    def opened(cls, message: PlayoutOpen) -> "Turn":
        return cls(message.conv, message.turn_id, message.gen, message.clock)

    @property
    def waiting(self) -> int:
        """Samples that came and were not yet given to the sinks."""
        return sum(segment.waiting for segment in self.segments.values())

    @property
    def end(self) -> int:
        """Stream position after its last sample so far."""
        return self.start + self.played

    def complete(self) -> bool:
        """Everything that will ever come was given to the sinks."""
        self._skip_played()
        return self.count is not None and self._current >= self.count

    def readable(self) -> bool:
        """There is something to play now."""
        self._skip_played()
        segment = self.segments.get(self._current)
        return segment is not None and segment.waiting > 0 and (self.count is None or self._current < self.count)

    def read(self, count: int, *, muted: bool) -> Block | None:
        """At most `count` samples of one segment; None when there is nothing to play now."""
        if not self.readable():
            return None
        segment = self.segments[self._current]
        if segment.begin < 0:
            segment.begin = self.played
        at = segment.played
        samples = self._audible(segment, segment.read(count), muted)
        self.played += len(samples)
        return Block(segment, at, samples)

    def hush(self) -> Block | None:
        """The next `EDGE` samples, falling to silence; what is read after them rises again."""
        if self._silent or (block := self.read(EDGE, muted=False)) is None:
            return None
        self._silent = True
        return block._replace(samples=fade(block.samples, out=True))

    def segment_at(self, position: int) -> Segment | None:
        """The segment that sounds at `position` (None before the first sample)."""
        begun = [s for s in self.segments.values() if 0 <= s.begin <= position]
        return max(begun, key=lambda segment: segment.begin) if begun else None

    def next_border(self, position: int) -> int | None:
        """Where the next segment begins after `position`, if it was given to the sinks already."""
        return min((s.begin for s in self.segments.values() if s.begin > position), default=None)

    def heard(self, position: int) -> tuple[SegmentHeard, ...]:
        """What was heard of it when `position` samples were played."""
        begun = sorted((s for s in self.segments.values() if 0 <= s.begin < position), key=lambda s: s.begin)
        all_heard = (segment.heard(min(position - segment.begin, segment.played)) for segment in begun)
        return tuple(heard for heard in all_heard if heard.samples)

    def finished(self, reason: EndReason, position: int) -> PlayoutFinished:
        """Its end at `position`."""
        return PlayoutFinished(
            conv=self.conv,
            turn_id=self.turn_id,
            gen=self.gen,
            reason=reason,
            heard=self.heard(position),
            audio_ms=round(position / MS, 1),
            muted=self.muted,
            stalls=self.stalls,
            stall_ms=round(self.stall_s * 1000, 1),
        )

    def _skip_played(self) -> None:
        while (segment := self.segments.get(self._current)) and segment.complete and not segment.waiting:
            self._current += 1

    def _audible(self, segment: Segment, samples: Samples, muted: bool) -> Samples:
        if muted:
            self.muted = True
            segment.silence(segment.played - len(samples))
        turning = muted != self._silent and self.played > 0
        self._silent = muted
        edge = samples[:EDGE]
        if turning:
            return np.concatenate((fade(edge, out=muted), np.zeros_like(samples[EDGE:]) if muted else samples[EDGE:]))
        return np.zeros_like(samples) if muted else samples
