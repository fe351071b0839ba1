"""Where an utterance begins, pauses and ends: from voice detection's yes and no. Knows no sound, no clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

What = Literal["started", "paused", "resumed", "ended", "dropped"]

PAUSE_MS = 120.0  # so much silence is a pause: words have gaps of their own
GAP = 0.6  # of the frames in the onset window that must be speech: stops are short silences inside words


@dataclass(frozen=True, slots=True)
class Change:
    """Times are ms of the stream."""

    what: What
    at_ms: float  # where the change lies in the sound
    now_ms: float  # where the stream is


@dataclass(frozen=True, slots=True)
class Limits:
    """All in ms."""

    onset: float
    min_speech: float
    longest: float


class Endpointer:
    """One source's utterances. `patience_ms` may change while one runs: how long a pause ends it."""

    def __init__(self, limits: Limits, frame_ms: float, patience_ms: float) -> None:
        self.patience_ms = patience_ms
        self.began_ms = 0.0
        self.ended_ms = 0.0  # last voiced sample so far
        self._limits = limits
        self._frame_ms = frame_ms
        self._window = max(1, round(limits.onset / frame_ms))
        self._recent: list[bool] = []
        self._now_ms = 0.0
        self._voiced_ms = 0.0
        self._silence_ms = 0.0
        self._state: Literal["quiet", "speaking", "paused"] = "quiet"

    @property
    def open(self) -> bool:
        """An utterance runs."""
        return self._state != "quiet"

    @property
    def paused(self) -> bool:
        return self._state == "paused"

    def feed(self, speech: bool) -> Iterator[Change]:
        """The next frame."""
        self._now_ms += self._frame_ms
        if self._state == "quiet":
            yield from self._listen(speech)
        elif speech:
            yield from self._heard()
        else:
            yield from self._silent()
        if self.open and self._now_ms - self.began_ms >= self._limits.longest:
            yield from self.finish()

    def finish(self) -> Iterator[Change]:
        """End it now, whatever it is."""
        if self.open:
            voiced, self._state, self._recent = self._voiced_ms, "quiet", []
            yield self._change("ended" if voiced >= self._limits.min_speech else "dropped", self.ended_ms)

    def _listen(self, speech: bool) -> Iterator[Change]:
        self._recent = [*self._recent[1 - self._window :], speech] if self._window > 1 else [speech]
        voiced = sum(self._recent)
        if not speech or len(self._recent) < self._window or voiced < GAP * self._window:
            return
        self._state = "speaking"
        back = len(self._recent) - self._recent.index(True)
        self.began_ms = max(0.0, self._now_ms - back * self._frame_ms)
        self.ended_ms = self._now_ms
        self._voiced_ms, self._silence_ms = voiced * self._frame_ms, 0.0
        yield self._change("started", self.began_ms)

    def _heard(self) -> Iterator[Change]:
        self._voiced_ms += self._frame_ms
        self._silence_ms = 0.0
        self.ended_ms = self._now_ms
        if self._state == "paused":
            self._state = "speaking"
            yield self._change("resumed", self._now_ms - self._frame_ms)

    def _silent(self) -> Iterator[Change]:
        self._silence_ms += self._frame_ms
        if self._state == "speaking" and self._silence_ms >= PAUSE_MS:
            self._state = "paused"
            yield self._change("paused", self.ended_ms)
        if self._silence_ms >= self.patience_ms:
            yield from self.finish()

    def _change(self, what: What, at_ms: float) -> Change:
        return Change(what, at_ms, self._now_ms)
