"""Lines that the gate gave to the operator: answered once, denied, or forgotten after a while."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kitsu.protocol import now_us
from kitsu.safety import Why
from kitsu_orchestrator.lines import Job


@dataclass(frozen=True, slots=True)
class HeldLine:
    """One of them. `job` is the line as it came in."""

    job: Job
    why: Why
    until: float  # s of the list's clock
    at: int = field(default_factory=now_us)  # unix µs

    def as_json(self, now: float) -> dict[str, Any]:
        """For the signed-in operator."""
        return {
            "turn_id": self.job.turn_id,
            "conv": self.job.conv,
            "author": self.job.author.name,
            "author_role": self.job.author.role,
            "text": self.job.text,
            "rule": self.why.rule,
            "category": self.why.category,
            "at": self.at,
            "expires_in_s": round(max(0.0, self.until - now), 1),
        }


class HeldLines:
    """At most `limit` of them; one more, and the oldest goes (`drop_oldest`)."""

    def __init__(self, limit: int = 20, keep_s: float = 600.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.counts: Counter[str] = Counter()  # held, allowed, denied, expired, dropped, withdrawn
        self.changed: Callable[[], None] = lambda: None
        self._keep_s = keep_s
        self._clock = clock
        self._lines: OrderedDict[str, HeldLine] = OrderedDict()

    def add(self, job: Job, why: Why) -> None:
        """Hold a line."""
        self._expire()
        if len(self._lines) >= self.limit:
            self._lines.popitem(last=False)
            self.counts["dropped"] += 1
        self._lines[job.turn_id] = HeldLine(job, why, self._clock() + self._keep_s)
        self.counts["held"] += 1
        self.changed()

    def put_back(self, job: Job, why: Why, left_s: float, at: int) -> None:
        """A line that waited before a crash, and for how much longer; oldest first. `at`: since when (unix µs)."""
        if left_s > 0 and len(self._lines) < self.limit:
            self._lines[job.turn_id] = HeldLine(job, why, self._clock() + min(left_s, self._keep_s), at)
            self.counts["held"] += 1

    def waiting(self) -> list[tuple[HeldLine, float]]:
        """All that wait, oldest first, each with the seconds that it has left."""
        self._expire()
        now = self._clock()
        return [(held, held.until - now) for held in self._lines.values()]

    def allow(self, turn_id: str) -> Job | None:
        """The line as a new one that has its pardon; None when it is not held (any more)."""
        held = self._take(turn_id, "allowed")
        if held is None:
            return None
        job = held.job
        return Job(
            text=job.text,
            author=job.author,
            conv=job.conv,
            clock=job.clock,
            message_id=job.message_id,
            paid=job.paid,
            asked=job.asked,
            pardoned=True,
        )

    def deny(self, turn_id: str) -> bool:
        """Forget a line. False: it is not held (any more)."""
        return self._take(turn_id, "denied") is not None

    def withdraw(self, platform: str, user_id: str) -> None:
        """Forget what this author wrote: timed out or banned."""
        self.withdraw_where(lambda job: (job.author.platform, job.author.user_id) == (platform, user_id))

    def withdraw_where(self, gone: Callable[[Job], bool]) -> None:
        """Forget the lines that `gone` is true of: a platform took them back."""
        for turn_id, held in list(self._lines.items()):
            if gone(held.job):
                self._take(turn_id, "withdrawn")

    def as_json(self) -> list[dict[str, Any]]:
        """All that wait, oldest first."""
        self._expire()
        now = self._clock()
        return [held.as_json(now) for held in self._lines.values()]

    def state(self) -> dict[str, Any]:
        """For status: how many wait, and what became of the others."""
        self._expire()
        return {"waiting": len(self._lines), "limit": self.limit, **self.counts}

    def _take(self, turn_id: str, end: str) -> HeldLine | None:
        self._expire()
        held = self._lines.pop(turn_id, None)
        if held is not None:
            self.counts[end] += 1
            self.changed()
        return held

    def _expire(self) -> None:
        now = self._clock()
        while self._lines and next(iter(self._lines.values())).until <= now:
            self._lines.popitem(last=False)
            self.counts["expired"] += 1
