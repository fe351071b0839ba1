"""What a platform's chat says: bounded, in O(1) a line, before anything costly looks at it.

A line of chat becomes a job only when it is chosen; until then it costs a few dictionary entries. Better ranks are
chosen first (to her, then mods, vips and subs, then everyone), the oldest within a rank, nobody twice in a row while
somebody else waits, and everyone gets a turn after two of the better ranks. Equal lines are one line; a line that many
say becomes "chat is saying".
"""

import itertools
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from kitsu.protocol import Author, ChatLine
from kitsu_orchestrator.config import IntakeSettings
from kitsu_orchestrator.lines import MAX_CODE_POINTS, Job

CHOSEN_BEFORE_EVERYONE = 2  # lines of better ranks in a row
REMEMBERED_SPEAKERS = 500  # of one line that many say; whoever comes later is only counted
COMPARED_CODE_POINTS = 200  # lines that begin alike for so long are the same line

_TO_HER, _KNOWN, _EVERYONE = range(3)
_RANKS = 3

AuthorKey = tuple[str, str]


@dataclass(slots=True, eq=False)
class Entry:
    """A line that waits."""

    line: ChatLine
    key: str
    author: AuthorKey
    rank: int
    received: float  # s, of `Crowd.clock`
    asked: bool = False
    said: int = 1  # by how many
    speakers: set[AuthorKey] = field(default_factory=set)

    def job(self, chant_at: int) -> Job:
        """The line as something to be answered."""
        line, text = self.line, self.line.text[:MAX_CODE_POINTS]
        author = line.author
        if self.said >= chant_at:
            text = f"{self.said} people in chat are saying: {text}"
            author = Author(name="chat", platform=author.platform)
        return Job(text=text, author=author, message_id=line.message_id, asked=self.asked, received=self.received)


class Crowd:
    """The waiting lines of one platform chat. What goes is counted in `dropped`, by reason."""

    def __init__(
        self, settings: IntakeSettings, drop: Callable[[str, int], None], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._settings = settings
        self._drop = drop  # reason, how many
        self._clock = clock
        self._ranks: tuple[OrderedDict[str, Entry], ...] = tuple(OrderedDict() for _ in range(_RANKS))  # by key
        self._ids: dict[str, Entry] = {}  # platform message id -> its line
        self._authors: Counter[AuthorKey] = Counter()
        self._last_author: AuthorKey = ("", "")
        self._in_a_row = 0

    def __len__(self) -> int:
        return sum(map(len, self._ranks))

    @property
    def oldest(self) -> float:
        """When the oldest line of the best rank came; infinity when nothing waits."""
        return next((next(iter(queue.values())).received for queue in self._ranks if queue), float("inf"))

    def put(self, line: ChatLine, *, to_her: bool = False, asked: bool = False) -> Entry | None:
        """Take a line in. None: it was dropped, or is one with a line that waits already."""
        author = author_key(line.author)
        key = key_of(line.text)
        known = next((queue[key] for queue in self._ranks if key in queue), None)
        if known is not None:
            self._merge(known, author)
            return None
        if self._authors[author] >= self._settings.max_per_author:
            self._drop("author_limit", 1)
            return None
        rank = _TO_HER if to_her or asked else _EVERYONE if line.author.role == "viewer" else _KNOWN
        if len(self) >= self._settings.max_chat and not self._make_room(rank):
            self._drop("crowded", 1)
            return None
        entry = Entry(line, key, author, rank, self._clock(), asked)
        self._add(entry)
        return entry

    def place(self, entry: Entry) -> int:
        """How many lines are chosen before this one, as things stand."""
        before = sum(len(queue) for queue in self._ranks[: entry.rank])
        return before + next(index for index, other in enumerate(self._ranks[entry.rank].values()) if other is entry)

    def take(self) -> Job | None:
        """The next line to be answered, out of the crowd."""
        self._expire()
        rank = self._next_rank()
        if rank is None:
            return None
        queue = self._ranks[rank].values()
        entry = next((entry for entry in queue if entry.author != self._last_author), None) or next(iter(queue))
        self._in_a_row = 0 if rank == _EVERYONE else self._in_a_row + 1
        self._last_author = entry.author
        self._remove(entry)
        return entry.job(self._settings.chant_at)

    def remove_line(self, platform: str, message_id: str) -> int:
        """The platform took a line back."""
        entry = self._ids.get(f"{platform}\0{message_id}")
        return self._gone([entry] if entry else [])

    def remove_author(self, author: AuthorKey) -> int:
        """The platform took all of somebody's lines back. What others said too stays theirs."""
        for entry in self._entries():
            entry.speakers.discard(author)
        return self._gone([entry for entry in self._entries() if entry.author == author])

    def remove_login(self, login: str) -> int:
        """Somebody is ignored from now on."""
        return self._gone([entry for entry in self._entries() if entry.line.author.login == login])

    def clear(self) -> int:
        """Take everything out; returns how much it was."""
        count = len(self)
        for queue in self._ranks:
            queue.clear()
        self._ids.clear()
        self._authors.clear()
        return count

    def _entries(self) -> Iterator[Entry]:
        return itertools.chain.from_iterable(list(queue.values()) for queue in self._ranks)

    def _gone(self, entries: list[Entry]) -> int:
        for entry in entries:
            self._remove(entry)
        if entries:
            self._drop("removed", len(entries))
        return len(entries)

    def _add(self, entry: Entry) -> None:
        self._ranks[entry.rank][entry.key] = entry
        self._authors[entry.author] += 1
        entry.speakers.add(entry.author)
        if entry.line.message_id:
            self._ids[f"{entry.line.author.platform}\0{entry.line.message_id}"] = entry

    def _remove(self, entry: Entry) -> None:
        del self._ranks[entry.rank][entry.key]
        self._authors[entry.author] -= 1
        if not self._authors[entry.author]:
            del self._authors[entry.author]
        self._ids.pop(f"{entry.line.author.platform}\0{entry.line.message_id}", None)

    def _merge(self, entry: Entry, author: AuthorKey) -> None:
        if author in entry.speakers:
            self._drop("repeated", 1)
            return
        self._drop("merged", 1)
        if len(entry.speakers) < REMEMBERED_SPEAKERS:
            entry.speakers.add(author)
        entry.said += 1
        if entry.said == self._settings.chant_at and entry.rank != _TO_HER:
            del self._ranks[entry.rank][entry.key]
            entry.rank = _TO_HER
            self._ranks[_TO_HER][entry.key] = entry

    def _make_room(self, rank: int) -> bool:
        """Drop the oldest line of the lowest rank that is no better than `rank`."""
        queue = next((queue for queue in reversed(self._ranks[rank:]) if queue), None)
        if queue is None:
            return False
        self._remove(next(iter(queue.values())))
        self._drop("crowded", 1)
        return True

    def _expire(self) -> None:
        before = self._clock() - self._settings.stale_after_s
        stale = [entry for entry in self._entries() if entry.received < before]
        for entry in stale:
            self._remove(entry)
        if stale:
            self._drop("stale", len(stale))

    def _next_rank(self) -> int | None:
        if self._ranks[_EVERYONE] and self._in_a_row >= CHOSEN_BEFORE_EVERYONE:
            return _EVERYONE
        return next((rank for rank, queue in enumerate(self._ranks) if queue), None)


def author_key(author: Author) -> AuthorKey:
    """Who it is, whatever the name says today."""
    return author.platform, author.user_id or author.name


def key_of(text: str) -> str:
    """Lines with the same key are the same line."""
    return " ".join(text[:COMPARED_CODE_POINTS].casefold().split())
