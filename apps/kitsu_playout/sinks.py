"""Who can play a conversation's sound, and who does: one at a time."""

from dataclasses import dataclass
from typing import Literal

from kitsu.protocol import SinkOpened, SinkPosition, SinkState
from kitsu.protocol.playout import SinkKind
from kitsu_playout.clock import StreamClock
from kitsu_playout.turn import MS

STALLED_S = 0.7  # a sink that was given sound and has not moved for so long does not play
EXPIRES_S = 5.0  # browsers' sinks are announced every second; a door that died says no goodbye
MAX_BEHIND_MS = 500.0
MAX_SINKS = 32  # of one conversation
_RANK: dict[SinkKind, int] = {"device": 0, "overlay": 1, "page": 2}


@dataclass(eq=False)
class Sink:
    """One that can play."""

    sink: str
    kind: SinkKind
    label: str
    state: Literal["running", "blocked", "idle"] = "idle"
    position: int = -1  # stream samples, as it last said
    behind: float = 0.0  # samples, the clock minus what it had played, while both ran
    underruns: int = 0
    seen_at: float = 0.0
    elected_at: float = 0.0
    moved_at: float = 0.0
    stalled: bool = False


class Sinks:
    """All sinks of a conversation."""

    def __init__(self) -> None:
        self._sinks: dict[str, Sink] = {}  # in the order they came
        self.elected: Sink | None = None

    def __len__(self) -> int:
        return len(self._sinks)

    def open(self, message: SinkOpened, now: float) -> bool:
        """A sink is there (said again every second). True: something changed."""
        if known := self._sinks.get(message.sink):
            known.seen_at = now
        if known or len(self._sinks) >= MAX_SINKS:
            return False
        self._sinks[message.sink] = Sink(message.sink, message.kind, message.label, seen_at=now)
        self._elect(now)
        return True

    def close(self, sink: str, now: float) -> bool:
        """It is gone."""
        if self._sinks.pop(sink, None) is None:
            return False
        self._elect(now)
        return True

    def report(self, message: SinkPosition, clock: StreamClock, now: float) -> bool:
        """What a sink has played. True: status changed."""
        sink = self._sinks.get(message.sink)
        if sink is None:
            return False
        sink.seen_at = now
        before = (sink.state, sink.underruns, sink.stalled)
        if message.position != sink.position or message.state != sink.state:  # else an old report, said again
            sink.stalled = False
            sink.moved_at = now
            if message.state == "running" and message.position <= clock.rendered and clock.dry_s(now) < 0:
                sink.behind = min(max(0.0, clock.at(now) - message.position), MAX_BEHIND_MS * MS)
        sink.position, sink.state, sink.underruns = message.position, message.state, message.underruns
        self._elect(now)
        return before != (sink.state, sink.underruns, sink.stalled)

    def expire(self, now: float) -> None:
        """Forget those that nobody announced for a while."""
        gone = [s.sink for s in self._sinks.values() if s.kind != "device" and now - s.seen_at > EXPIRES_S]
        for sink in gone:
            self.close(sink, now)

    def check(self, playing_since: float, now: float) -> bool:
        """Find out whether the elected one stands still while it should play. True: it lost the election."""
        sink = self.elected
        if sink is None or now - max(sink.moved_at, sink.elected_at, playing_since) < STALLED_S:
            return False
        sink.stalled = True
        self._elect(now)
        return True

    def behind(self) -> float:
        """Samples that what is heard lags the clock."""
        return self.elected.behind if self.elected else 0.0

    def states(self, conv: str) -> list[SinkState]:
        """For status."""
        return [
            SinkState(
                sink=sink.sink,
                kind=sink.kind,
                conv=conv,
                label=sink.label,
                elected=sink is self.elected,
                state=sink.state,
                behind_ms=round(sink.behind / MS, 1),
                underruns=sink.underruns,
            )
            for sink in self._sinks.values()
        ]

    def _elect(self, now: float) -> None:
        able = [sink for sink in self._sinks.values() if sink.state != "blocked" and not sink.stalled]
        best = min(able, key=lambda sink: _RANK[sink.kind], default=None)  # of equals the first that came
        if best is not self.elected:
            self.elected = best
            if best:
                best.elected_at = now
