"""Waiting lines: who is answered first, who goes when there is no room, and that none of it gets slow."""

import asyncio
import time
from collections import Counter

import pytest

from kitsu.protocol import Author, AuthorRole
from kitsu_orchestrator.config import IntakeSettings
from kitsu_orchestrator.intake import ENDED_LIMIT, Intake, Waiting
from kitsu_orchestrator.lines import Job

ROLES: list[AuthorRole] = ["viewer", "sub", "vip", "mod", "broadcaster", "operator"]


def line(text: str, role: AuthorRole = "viewer", author: str = "") -> Job:
    return Job(text=text, author=Author(name=author or text, role=role))


def say(text: str) -> Job:
    return Job(text=text, author=Author(name="operator", role="operator"), kind="say")


def filled(limit: int, *jobs: Job) -> Waiting:
    waiting = Waiting(limit)
    for job in jobs:
        assert waiting.put(job) is None
    return waiting


async def drained(waiting: Waiting) -> list[str]:
    return [(await waiting.next()).text for _ in range(len(waiting))]


async def test_better_roles_are_answered_first_and_older_lines_within_a_role() -> None:
    waiting = filled(
        20, line("v1"), line("s1", "sub"), line("v2"), line("m1", "mod"), say("o1"), line("b1", "broadcaster"),
        line("p1", "vip"), line("o2", "operator"), line("s2", "sub"),
    )  # fmt: skip
    assert await drained(waiting) == ["o1", "o2", "s1", "m1", "b1", "p1", "s2", "v1", "v2"]
    assert len(waiting) == 0


async def test_nobody_is_answered_twice_in_a_row_while_somebody_else_waits() -> None:
    waiting = filled(20, *(line(f"a{n}", author="Ann") for n in range(4)), line("b0", author="Bob"), line("c0"))
    assert await drained(waiting) == ["a0", "b0", "a1", "c0", "a2", "a3"]


async def test_the_operators_own_lines_keep_their_order() -> None:
    waiting = filled(20, say("one"), say("two"), line("three", "operator", "Ann"), say("four"))
    assert await drained(waiting) == ["one", "two", "three", "four"]


async def test_fairness_does_not_put_a_viewer_before_a_sub() -> None:
    waiting = filled(20, *(line(f"s{n}", "sub", "Ann") for n in range(3)), line("v0", author="Bob"))
    assert await drained(waiting) == ["s0", "s1", "s2", "v0"]


@pytest.mark.parametrize(
    ("waits", "comes", "goes"),
    [
        (["viewer", "viewer"], "viewer", 0),
        (["viewer", "viewer"], "sub", 0),
        (["sub", "viewer"], "viewer", 1),
        (["sub", "viewer"], "mod", 1),
        (["sub", "viewer"], "operator", 1),
        (["sub", "mod"], "viewer", None),
        (["sub", "mod"], "vip", 0),
        (["mod", "sub"], "sub", 0),
        (["operator", "sub"], "sub", 1),
        (["operator", "operator"], "viewer", None),
        (["operator", "operator"], "broadcaster", None),
        (["operator", "operator"], "operator", 0),
        (["operator", "viewer"], "operator", 1),
    ],
)
async def test_the_oldest_of_the_lowest_role_goes_but_none_that_is_better(
    waits: list[AuthorRole], comes: AuthorRole, goes: int | None
) -> None:
    jobs = [line(str(number), role) for number, role in enumerate(waits)]
    waiting, new = filled(len(jobs), *jobs), line("new", comes)
    assert waiting.put(new) is (new if goes is None else jobs[goes])
    assert len(waiting) == len(jobs)
    assert (waiting.find(new.turn_id) is new) == (goes is not None)
    left = [job.text for job in jobs if goes is None or job is not jobs[goes]]
    assert sorted(await drained(waiting)) == sorted([*left, "new"] if goes is not None else left)


@pytest.mark.parametrize("role", ROLES)
async def test_what_cuts_in_comes_before_everything_whatever_the_bound(role: AuthorRole) -> None:
    waiting = filled(2, say("one"), line("two", "operator"))
    waiting.put_first(line("first", role))
    waiting.put_first(line("before it", role))
    assert len(waiting) == 4
    assert waiting.urgent
    assert await drained(waiting) == ["before it", "first", "one", "two"]


@pytest.mark.parametrize(("role", "order"), [("viewer", ["s", "x", "v"]), ("sub", ["x", "s", "v"])])
async def test_what_is_put_back_is_the_first_of_its_role(role: AuthorRole, order: list[str]) -> None:
    waiting = filled(2, line("v"), line("s", "sub"))
    waiting.put_back(line("x", role))
    assert len(waiting) == 3
    assert await drained(waiting) == order


async def test_a_full_queue_stays_full_after_something_was_put_back() -> None:
    waiting = filled(2, line("a"), line("b"))
    waiting.put_back(line("c"))
    shed = waiting.put(line("d"))
    assert shed is not None
    assert shed.text == "c"
    assert len(waiting) == 3


async def test_who_waits_is_woken_by_the_next_line() -> None:
    waiting = Waiting(2)
    for put in (waiting.put, waiting.put_first, waiting.put_back):
        next_line = asyncio.create_task(waiting.next())
        await asyncio.sleep(0)
        assert not next_line.done()
        put(job := line("hi"))
        assert await asyncio.wait_for(next_line, 1) is job


async def test_who_stopped_waiting_loses_no_line() -> None:
    waiting = Waiting(2)
    impatient = asyncio.create_task(waiting.next())
    await asyncio.sleep(0)
    waiting.put(job := line("hi"))
    impatient.cancel()
    await asyncio.gather(impatient, return_exceptions=True)
    assert len(waiting) == 1
    assert await asyncio.wait_for(waiting.next(), 1) is job


async def test_everything_can_be_taken_out_at_once() -> None:
    jobs = [line("v"), line("s", "sub"), say("o")]
    waiting = filled(3, *jobs)
    assert {job.text for job in waiting.clear()} == {"v", "s", "o"}
    assert (len(waiting), waiting.urgent, waiting.clear()) == (0, False, [])
    assert waiting.put(jobs[0]) is None


def offer(waiting: Waiting, jobs: list[Job]) -> tuple[float, list[Job | None]]:
    """Processor seconds, and what was shed."""
    began = time.process_time()
    shed = [waiting.put(job) for job in jobs]
    return time.process_time() - began, shed


@pytest.mark.parametrize("roles", [["viewer"], ["operator"], ROLES])
async def test_a_flood_is_bounded_counted_and_linear(roles: list[AuthorRole]) -> None:
    waiting = Waiting(50)
    for number in range(50):
        waiting.put(line(f"first {number}"))
    jobs = [line(str(number), roles[number % len(roles)], "troll") for number in range(100_000)]
    took, shed = offer(waiting, jobs)
    assert len(waiting) == 50
    assert all(job is not None for job in shed)  # one goes for each that comes
    kept = waiting.clear()
    assert len(kept) == 50
    gone = {job for job in shed if job is not None}
    assert len(gone) == 100_000
    assert not gone & set(kept)
    few, _ = offer(filled(50, *(line(str(n)) for n in range(50))), jobs[:10_000])
    assert took < 50 * few + 0.1, "ten times the lines took far more than ten times the time"


async def test_a_longer_queue_makes_shedding_no_slower() -> None:
    jobs = [line(str(number)) for number in range(20_000)]
    short, _ = offer(filled(50, *jobs[:50]), jobs)
    long, _ = offer(filled(10_000, *jobs[:10_000]), jobs)
    assert long < short * 10 + 0.1


async def test_the_same_message_of_the_same_platform_is_a_duplicate() -> None:
    intake = Intake(IntakeSettings(remember_ids=2))
    assert [intake.is_duplicate("p", key) for key in ("1", "1", "2", "3", "3", "1")] == [
        False, True, False, False, True, False,
    ]  # fmt: skip
    assert not intake.is_duplicate("q", "3")
    assert not intake.is_duplicate("p", "")
    assert not intake.is_duplicate("p", "")


async def test_without_memory_nothing_is_a_duplicate() -> None:
    intake = Intake(IntakeSettings(remember_ids=0))
    assert not any(intake.is_duplicate("p", "1") for _ in range(3))


async def test_drops_are_counted_by_reason_and_the_last_ones_can_be_asked_for() -> None:
    intake = Intake(IntakeSettings())
    turns = []
    for number in range(ENDED_LIMIT + 10):
        story = line("hi").story()
        story.reason = "stale" if number % 2 else "queue_full"
        intake.drop(story)
        turns.append(story.turn_id)
    assert intake.changed.is_set()
    assert intake.dropped == Counter(stale=len(turns) // 2, queue_full=len(turns) // 2)
    assert [intake.ended(turn) is not None for turn in turns] == [False] * 10 + [True] * ENDED_LIMIT
