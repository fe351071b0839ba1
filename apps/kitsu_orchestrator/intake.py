"""Lines waiting to be answered: bounded, shed in O(1) by role before anything costly looks at them."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Callable

from kitsu.protocol import AuthorRole
from kitsu_orchestrator.config import IntakeSettings
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.story import Story

ENDED_LIMIT = 500

_RANK: dict[AuthorRole, int] = {"operator": 0, "broadcaster": 2, "mod": 2, "vip": 2, "sub": 2, "viewer": 3}
_PAID = 1
RANKS = 4


class Waiting:
    """The waiting lines of one conversation, best role first, oldest first within a role."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._queues: tuple[deque[Job], ...] = tuple(deque() for _ in range(RANKS))
        self._count = 0
        self.wake = asyncio.Event()  # set when a line comes in
        self._last_author = ""

    def __len__(self) -> int:
        return self._count

    @property
    def urgent(self) -> bool:
        """Whether the operator's own words wait."""
        return bool(self._queues[0])

    @property
    def valued(self) -> bool:
        """Whether lines of the operator, or paid ones, wait."""
        return bool(self._queues[0] or self._queues[_PAID])

    @property
    def oldest(self) -> float:
        """When the oldest line of the best role came (s of `perf_counter`); infinity when nothing waits."""
        return next((queue[0].received for queue in self._queues if queue), float("inf"))

    def put(self, job: Job) -> Job | None:
        """Take a line in; returns the one that was shed for it (perhaps the line itself)."""
        rank = rank_of(job)
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
        self._queues[0].appendleft(job)
        self._added()

    def put_back(self, job: Job) -> None:
        """A line that had been taken out: the first of its role again, whatever the bound."""
        self._queues[rank_of(job)].appendleft(job)
        self._added()

    def find(self, turn_id: str) -> Job | None:
        """A waiting line."""
        return next((job for queue in self._queues for job in queue if job.turn_id == turn_id), None)

    async def next(self) -> Job:
        """Wait for the best line and take it out."""
        while not self._count:
            self.wake.clear()
            await self.wake.wait()
        return self.take()

    def take(self) -> Job:
        """Take the best line out; there must be one."""
        queue = next(queue for queue in self._queues if queue)
        job = queue[index := 0 if queue is self._queues[0] else self._fair(queue)]
        del queue[index]
        self._count -= 1
        self._last_author = job.author.name
        return job

    def remove(self, gone: Callable[[Job], bool]) -> list[Job]:
        """Take out every line that `gone` is true of."""
        found = []
        for queue in self._queues:
            going = [job for job in queue if gone(job)]
            for job in going:
                queue.remove(job)
            found += going
        self._count -= len(found)
        return found

    def clear(self) -> list[Job]:
        """Take everything out."""
        jobs = [job for queue in self._queues for job in queue]
        for queue in self._queues:
            queue.clear()
        self._count = 0
        return jobs

    def _added(self) -> None:
        self._count += 1
        self.wake.set()

    def _fair(self, queue: deque[Job]) -> int:
        """The oldest line of somebody else than the last author, if there is one."""
        return next((index for index, job in enumerate(queue) if job.author.name != self._last_author), 0)

    def _shed(self, rank: int) -> Job | None:
        """Drop the oldest line of the lowest role that is no better than `rank`."""
        for queue in reversed(self._queues[rank:]):
            if queue:
                self._count -= 1
                return queue.popleft()
        return None


def rank_of(job: Job) -> int:
    """0 is answered first."""
    if job.spoken:  # who stands beside her is answered first, the host before guests
        return 0 if job.author.role == "broadcaster" else _PAID
    rank = 0 if job.kind == "say" else _RANK[job.author.role]
    return min(rank, _PAID) if job.paid else rank


class Intake:
    """Counts and de-duplicates for all conversations."""

    def __init__(self, settings: IntakeSettings) -> None:
        self.settings = settings
        self.dropped: Counter[str] = Counter()
        self.changed = asyncio.Event()  # set whenever something was dropped
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._ended: OrderedDict[str, Story] = OrderedDict()

    def drop(self, story: Story) -> None:
        """Count a line that never became a turn; its end can be asked for while it is one of the last ones."""
        self.dropped[story.reason] += 1
        self._ended[story.turn_id] = story
        if len(self._ended) > ENDED_LIMIT:
            self._ended.popitem(last=False)
        self.changed.set()

    def count(self, reason: str, lines: int = 1) -> None:
        """Lines of chat went without ever being a job."""
        self.dropped[reason] += lines
        self.changed.set()

    def ended(self, turn_id: str) -> Story | None:
        """How a line ended that never became a turn."""
        return self._ended.get(turn_id)

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
