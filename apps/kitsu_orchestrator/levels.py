"""What is true for the whole show until somebody changes it: mode, mute, panic, and the generations."""

import time

import msgspec

from kitsu.protocol import Mode, Panic, ShowLevels, now_us


class Levels:
    """Levels and generations. Pure state: nothing here sends anything."""

    def __init__(self, mode: Mode, panic: Panic | None, *, topics: bool = True) -> None:
        self.now = ShowLevels(mode=mode, muted=False, topics=topics, panic=panic, resumed_at=0)
        self._base = time.time_ns() // 1_000_000  # above every generation of any earlier run
        self._gens: dict[str, int] = {}

    def gen(self, conv: str) -> int:
        """The current generation of a conversation."""
        return self._gens.setdefault(conv, self._base)

    def is_stale(self, conv: str, gen: int) -> bool:
        """Whether something is older than its conversation's generation."""
        return gen < self._gens.get(conv, self._base)

    def bump(self, conv: str) -> int:
        """Begin a new generation: everything older is stale."""
        self._gens[conv] = self.gen(conv) + 1
        return self._gens[conv]

    def raise_to(self, conv: str, gen: int) -> None:
        """A generation that was given out ahead begins."""
        self._gens[conv] = max(self.gen(conv), gen)

    def bump_all(self) -> dict[str, int]:
        """Begin a new generation everywhere."""
        self._base += 1
        self._gens = {conv: max(gen + 1, self._base) for conv, gen in self._gens.items()}
        return dict(self._gens)

    def gens(self) -> dict[str, int]:
        """All generations."""
        return dict(self._gens)

    def forget(self, conv: str) -> None:
        """A conversation is gone; should it come back, its generation is higher still."""
        self._base = max(self._base, self._gens.pop(conv, 0) + 1)

    def set_mode(self, mode: Mode) -> None:
        """Standby or live."""
        self.now = msgspec.structs.replace(self.now, mode=mode)

    def set_muted(self, muted: bool) -> None:
        """Muted: turns run on, nothing is heard."""
        self.now = msgspec.structs.replace(self.now, muted=muted)

    def set_volume(self, percent: int) -> None:
        """How loud the sinks are, 0 to 100."""
        self.now = msgspec.structs.replace(self.now, volume=percent)

    def set_topics(self, on: bool) -> None:
        """Whether she may begin to talk by herself."""
        self.now = msgspec.structs.replace(self.now, topics=on)

    def is_over(self, panic: Panic) -> bool:
        """Whether a panic was pressed before the last resume."""
        return panic.pressed_at <= self.now.resumed_at

    def panic(self, panic: Panic) -> Panic:
        """A panic holds from now on: this one, or the one that did already."""
        held = self.now.panic or panic
        self.now = msgspec.structs.replace(self.now, panic=held)
        return held

    def resume(self) -> None:
        """No panic that was pressed up to now counts any more."""
        self.now = msgspec.structs.replace(self.now, panic=None, resumed_at=now_us())
