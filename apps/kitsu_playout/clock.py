"""Stream samples against time."""

from kitsu.protocol import STREAM_RATE_HZ


class StreamClock:
    """Position 0 is the conversation's first sample. It stands still while there is nothing to play."""

    def __init__(self) -> None:
        self.rendered = 0  # samples given to the sinks
        self._anchor_s = 0.0
        self._anchor = 0

    def at(self, now: float) -> float:
        """Where the clock would be, had it sound without end."""
        return self._anchor + (now - self._anchor_s) * STREAM_RATE_HZ

    def position(self, now: float) -> int:
        """The sample that sounds now."""
        return min(self.rendered, int(self.at(now)))

    def dry_s(self, now: float) -> float:
        """How long ago the sound ran out; negative: how long it still lasts."""
        return (self.at(now) - self.rendered) / STREAM_RATE_HZ

    def time_of(self, position: float) -> float:
        """When the clock is, or would be, at `position`."""
        return self._anchor_s + (position - self._anchor) / STREAM_RATE_HZ

    def restart(self, now: float) -> None:
        """What comes next sounds now."""
        self._anchor_s, self._anchor = now, self.rendered
