"""Lines waiting to be answered: bounded, shed in O(1) by role before anything costly looks at them."""

import asyncio
from collections import Counter, OrderedDict, deque

from kitsu.protocol import AuthorRole
from kitsu_orchestrator.config import IntakeSettings
from kitsu_orchestrator.lines import Job

_RANK: dict[AuthorRole, int] = {"operator": 0, "broadcaster": 1, "mod": 1, "vip": 1, "sub": 1, "viewer": 2}
_RANKS = 3


class Waiting:
    """The waiting lines of one conversation, best role first, oldest first within a role."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._first: deque[Job] = deque()  # the operator's words and lines that were put back
        self._queues: tuple[deque[Job], ...] = tuple(deque() for _ in range(_RANKS))
        self._count = 0
        self._wake = asyncio.Event()
        self._last_author = ""

    def __len__(self) -> int:
        return self._count

    @property
    def urgent(self) -> bool:
        """Whether the operator's own words wait."""
        return bool(self._first or self._queues[0])

    def put(self, job: Job) -> Job | None:
        """Take a line in; returns the one that was shed for it (perhaps the line itself)."""
        rank = 0 if job.kind == "say" else _RANK[job.author.role]
        shed = None
        if self._count >= self._limit:
            shed = self._shed(rank)
            if shed is None:
                return job
        self._queues[rank].append(job)
        self._added()
        return shed

    def put_first(self, job: Job) -> None:
        """Take a line in before all others, whatever the bound."""
        self._first.appendleft(job)
        self._added()

    async def next(self) -> Job:
        """Wait for the best line and take it out."""
        while not self._count:
            self._wake.clear()
            await self._wake.wait()
        self._count -= 1
        job = self._first.popleft() if self._first else self._best()
        self._last_author = job.author.name
        return job

    def clear(self) -> list[Job]:
        """Take everything out."""
        jobs = [*self._first, *(job for queue in self._queues for job in queue)]
        self._first.clear()
        for queue in self._queues:
            queue.clear()
        self._count = 0
        return jobs

    def _added(self) -> None:
        self._count += 1
        self._wake.set()

    def _best(self) -> Job:
        """First line of the best role; under load no author twice in a row (only the two oldest are looked at)."""
        for rank, queue in enumerate(self._queues):
            if not queue:
                continue
            if rank and len(queue) > 1 and queue[0].author.name == self._last_author != queue[1].author.name:
                second = queue[1]
                del queue[1]
                return second
            return queue.popleft()
        raise AssertionError("counted a line that is in no queue")

    def _shed(self, rank: int) -> Job | None:
        """Drop the oldest line of the lowest role that is no better than `rank`."""
        for queue in reversed(self._queues[rank:]):
            if queue:
                self._count -= 1
                return queue.popleft()
        return None


class Intake:
    """Counts and de-duplicates for all conversations."""

    def __init__(self, settings: IntakeSettings) -> None:
        self.settings = settings
        self.dropped: Counter[str] = Counter()
        self._ids: OrderedDict[str, None] = OrderedDict()

    def is_duplicate(self, platform: str, message_id: str) -> bool:
        """Whether this platform message was seen before; notes it."""
        if not message_id or not self.settings.remember_ids:
            return False
        key = f"{platform}\0{message_id}"
        if key in self._ids:
            return True
        self._ids[key] = None
        if len(self._ids) > self.settings.remember_ids:
            self._ids.popitem(last=False)
        return False
