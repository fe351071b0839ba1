"""Waiting lines under any order of events, held against the plainest model of them: sorted lists."""

import asyncio
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from kitsu.protocol import Author, AuthorRole
from kitsu_orchestrator.intake import RANKS, Waiting, rank_of
from kitsu_orchestrator.lines import Job

LIMIT = 4
ROLES: list[AuthorRole] = ["viewer", "sub", "vip", "mod", "broadcaster", "operator"]
EVENTS = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(ROLES), st.sampled_from("abc")),
    st.tuples(st.just("say"), st.just("operator"), st.just("operator")),
    st.tuples(st.just("first"), st.sampled_from(ROLES), st.sampled_from("abc")),
    st.tuples(st.just("next"), st.just("viewer"), st.just("")),
    st.tuples(st.just("back"), st.just("viewer"), st.just("")),
    st.tuples(st.just("clear"), st.just("viewer"), st.just("")),
)


@dataclass
class Plain:
    """What should wait: one list a rank."""

    ranks: list[list[Job]] = field(default_factory=lambda: [[] for _ in range(RANKS)])
    last: str = ""

    def all(self) -> list[Job]:
        return [job for rank in self.ranks for job in rank]

    def put(self, job: Job) -> Job | None:
        shed = None
        if len(self.all()) >= LIMIT:
            places = [rank for rank in range(RANKS) if self.ranks[rank] and rank >= rank_of(job)]
            if not places:
                return job
            shed = self.ranks[max(places)].pop(0)
        self.ranks[rank_of(job)].append(job)
        return shed

    def next(self) -> Job:
        best = next(rank for rank in self.ranks if rank)
        others = [job for job in best if job.author.name != self.last]
        job = others[0] if others and best is not self.ranks[0] else best[0]
        best.remove(job)
        self.last = job.author.name
        return job


async def _play(events: list[tuple[str, AuthorRole, str]]) -> None:
    waiting, plain = Waiting(LIMIT), Plain()
    made, ended, taken = 0, 0, []
    for kind, role, name in events:
        match kind:
            case "put" | "say":
                author = Author(name=name, role=role)
                job = Job(text=str(made), author=author, kind="say" if kind == "say" else "chat")
                made += 1
                shed = waiting.put(job)
                assert shed is plain.put(job)
                if shed is not None:
                    ended += 1
                    assert rank_of(shed) >= rank_of(job), "nobody goes for somebody of a lower role"
                    assert waiting.find(shed.turn_id) is None
            case "first":
                job = Job(text=str(made), author=Author(name=name, role=role), kind="say")
                made += 1
                waiting.put_first(job)
                plain.ranks[0].insert(0, job)
            case "next" if len(waiting):
                async with asyncio.timeout(1):
                    job = await waiting.next()
                assert job is plain.next()
                taken.append(job)
            case "back" if taken:
                job = taken.pop()
                waiting.put_back(job)
                plain.ranks[rank_of(job)].insert(0, job)
            case "clear":
                cleared = waiting.clear()
                assert cleared == plain.all()
                ended += len(cleared)
                plain.ranks = [[] for _ in range(RANKS)]
        assert len(waiting) == len(plain.all())
        assert waiting.urgent == bool(plain.ranks[0])
        assert made == ended + len(taken) + len(waiting), "every line is somewhere, and only once"
        assert all(waiting.find(job.turn_id) is job for job in plain.all())
    while len(waiting):
        assert await waiting.next() is plain.next()


@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens_lines_wait_as_in_the_plain_model(events: list[tuple[str, AuthorRole, str]]) -> None:
    asyncio.run(_play(events))


async def test_a_troll_who_fills_the_queue_delays_somebody_else_by_one_turn_only() -> None:
    waiting = Waiting(50)
    for number in range(49):
        waiting.put(Job(text=str(number), author=Author(name="troll")))
    waiting.put(Job(text="hello", author=Author(name="Ann")))
    assert [(await waiting.next()).text for _ in range(3)] == ["0", "hello", "1"]
