"""What each conversation is given to hear, for those who must take it out of what they hear."""

from collections.abc import Container

from kitsu.protocol import PlayoutReference
from kitsu_asr.echo import Reference
from kitsu_asr.pcm import from_s16

MAX_REFERENCES = 16
MAX_AHEAD_S = 2.0


class References:
    """By conversation; when there are too many, those that nobody speaks to go first."""

    def __init__(self) -> None:
        self._kept: dict[str, Reference] = {}

    def add(self, message: PlayoutReference, payload: memoryview, now_s: float, used: Container[str]) -> None:
        """More of it. `used`: conversations that have a source."""
        ahead_s = max(0.0, min(MAX_AHEAD_S, message.ahead_ms / 1000))
        self.of(message.conv, used).add(message.position, from_s16(payload), now_s + ahead_s)

    def of(self, conv: str, used: Container[str]) -> Reference:
        """A conversation's."""
        if conv not in self._kept and len(self._kept) >= MAX_REFERENCES:
            self._kept = {name: kept for name, kept in self._kept.items() if name in used}
        return self._kept.setdefault(conv, Reference())
