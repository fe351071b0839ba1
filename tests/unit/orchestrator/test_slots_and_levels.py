"""Worker slots that are never lost, and generations that only rise."""

import asyncio
import itertools
import random

import pytest

from kitsu.protocol import Panic
from kitsu_orchestrator.levels import Levels
from kitsu_orchestrator.slots import Slots


class Users:
    """Tasks that want a slot; `working` has those that hold one, in the order they got it."""

    def __init__(self, slots: Slots) -> None:
        self.slots = slots
        self.working: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str) -> None:
        for name in names:
            self.tasks[name] = asyncio.create_task(self._acquire(name))
        await turn()

    async def leave(self, name: str) -> None:
        self.working.remove(name)
        self.slots.release()
        await turn()

    async def _acquire(self, name: str) -> None:
        await self.slots.acquire(stage=name.startswith("stage"))
        self.working.append(name)


async def turn() -> None:
    """Let everything that is ready run."""
    for _ in range(4):
        await asyncio.sleep(0)


async def free(slots: Slots, size: int) -> None:
    """Exactly `size` slots can be had."""
    for stage in itertools.islice(itertools.cycle((True, False)), size):
        await asyncio.wait_for(slots.acquire(stage=stage), 1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(slots.acquire(stage=True), 0.01)


async def test_the_stage_comes_first_and_older_ones_within_a_line() -> None:
    users = Users(Slots(1))
    await users.come("page 1", "page 2", "stage 1", "page 3", "stage 2")
    seen = []
    while users.working:
        (name,) = users.working
        seen.append(name)
        await users.leave(name)
    assert seen == ["page 1", "stage 1", "stage 2", "page 2", "page 3"]
    await free(users.slots, 1)


async def test_nobody_slips_in_between_a_release_and_who_waits() -> None:
    users = Users(Slots(1))
    await users.come("page 1", "page 2")
    users.working.remove("page 1")
    users.slots.release()
    await users.come("stage 1")  # came after the slot was given away
    assert users.working == ["page 2"]
    await users.leave("page 2")
    assert users.working == ["stage 1"]


@pytest.mark.parametrize("size", [2, 3, 100])
async def test_more_slots_wake_who_waits(size: int) -> None:
    users = Users(Slots())
    await users.come("page 1", "page 2", "page 3", "stage 1")
    assert users.working == ["page 1"]
    users.slots.resize(size)
    await turn()
    assert users.working == ["page 1", "stage 1", "page 2", "page 3"][:size]


async def test_fewer_slots_hold_once_enough_were_given_back() -> None:
    users = Users(Slots(3))
    await users.come("page 1", "page 2", "page 3", "page 4")
    users.slots.resize(1)
    for name in ("page 1", "page 2"):
        await users.leave(name)
        assert "page 4" not in users.working
    await users.leave("page 3")
    assert users.working == ["page 4"]
    await users.leave("page 4")
    await free(users.slots, 1)


@pytest.mark.parametrize("size", [0, -1, -(1 << 70)])
async def test_there_is_always_one_slot(size: int) -> None:
    slots = Slots(4)
    slots.resize(size)
    await free(slots, 1)


@pytest.mark.parametrize("stage", [True, False])
async def test_who_stops_waiting_takes_nothing(stage: bool) -> None:
    users = Users(Slots(1))
    waiter = "stage 1" if stage else "page 1"
    await users.come("page 0", waiter, "page 2")
    users.tasks[waiter].cancel()
    await turn()
    await users.leave("page 0")
    assert users.working == ["page 2"]
    await users.leave("page 2")
    await free(users.slots, 1)


@pytest.mark.parametrize("cancel_first", [True, False])
async def test_a_slot_handed_over_in_the_moment_of_a_cancellation_is_passed_on(cancel_first: bool) -> None:
    users = Users(Slots(1))
    await users.come("page 0", "page 1", "page 2")
    users.working.remove("page 0")
    for step in (users.tasks["page 1"].cancel, users.slots.release)[:: 1 if cancel_first else -1]:
        step()
    await turn()
    assert users.tasks["page 1"].cancelled()
    assert users.working == ["page 2"]
    await users.leave("page 2")
    await free(users.slots, 1)


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_happens_no_slot_is_lost_and_none_is_made(seed: int) -> None:
    chance = random.Random(seed)
    slots, size = Slots(2), 2
    users = Users(slots)
    for number in range(300):
        match chance.randrange(5):
            case 0 | 1:
                await users.come(f"{chance.choice(('stage', 'page'))} {number}")
            case 2 if users.working:
                users.working.remove(chance.choice(users.working))
                slots.release()
            case 3 if users.tasks:
                users.tasks[chance.choice(list(users.tasks))].cancel()
            case 4:
                size = chance.randrange(1, 5)
                slots.resize(size)
        if chance.random() < 0.7:
            await turn()
            assert len(users.working) <= 4
    for task in users.tasks.values():
        task.cancel()
    await turn()
    while users.working:
        await users.leave(users.working[0])
    await free(slots, size)


def test_generations_rise_and_older_ones_are_stale() -> None:
    levels = Levels("standby", None)
    first = levels.gen("stage")
    assert not levels.is_stale("stage", first)
    second = levels.bump("stage")
    assert second > first
    assert (levels.gen("stage"), levels.gens()) == (second, {"stage": second})
    assert levels.is_stale("stage", first)
    assert not levels.is_stale("stage", second)
    assert not levels.is_stale("stage", second + 1)


def test_a_restart_begins_above_every_generation_of_an_earlier_run() -> None:
    levels = Levels("standby", None)
    assert levels.is_stale("never seen", 0)
    assert Levels("live", None).gen("stage") >= levels.gen("stage") > 1_600_000_000_000


def test_bump_all_reaches_also_those_that_do_not_exist_yet() -> None:
    levels = Levels("standby", None)
    old = levels.gen("stage")
    gens = levels.bump_all()
    assert gens == levels.gens() == {"stage": levels.gen("stage")}
    assert levels.gen("stage") > old
    assert levels.is_stale("page:1", old)
    assert levels.gen("page:1") > old


@pytest.mark.parametrize("seed", range(20))
def test_generations_only_rise_whatever_happens(seed: int) -> None:
    chance = random.Random(seed)
    levels = Levels("standby", None)
    highest: dict[str, int] = {}
    conversations = ["stage", "page:1", "page:2", "page:3"]
    for _ in range(500):
        conv = chance.choice(conversations)
        match chance.randrange(4):
            case 0:
                gen = levels.gen(conv)
                assert gen >= highest.get(conv, 0)
                highest[conv] = gen
            case 1:
                gen = levels.bump(conv)
                assert gen > highest.get(conv, 0)
                highest[conv] = gen
            case 2:
                for name, gen in levels.bump_all().items():
                    assert gen > highest.get(name, 0)
                    highest[name] = gen
            case _:
                levels.forget(conv)
                assert conv not in levels.gens()
                if conv in highest:
                    assert levels.is_stale(conv, highest[conv])
        for name, gen in levels.gens().items():
            assert not levels.is_stale(name, gen)
            assert levels.is_stale(name, gen - 1)


def test_gens_is_a_copy() -> None:
    levels = Levels("standby", None)
    levels.gen("stage")
    levels.gens().clear()
    levels.bump_all().clear()
    assert list(levels.gens()) == ["stage"]


def test_a_panic_holds_until_resume_and_older_presses_are_over() -> None:
    levels = Levels("live", None)
    first = Panic(panic_id="1", pressed_at=1, by="cli")
    second = Panic(panic_id="2", pressed_at=2, by="page")
    assert levels.panic(first) is first
    assert levels.panic(second) is first
    levels.set_muted(True)
    levels.set_mode("standby")
    levels.set_volume(40)
    assert (levels.now.panic, levels.now.muted, levels.now.mode, levels.now.volume) == (first, True, "standby", 40)
    levels.resume()
    assert levels.now.panic is None
    assert levels.is_over(first)
    assert levels.is_over(Panic(panic_id="3", pressed_at=levels.now.resumed_at, by="cli"))
    assert not levels.is_over(Panic(panic_id="4", pressed_at=levels.now.resumed_at + 1, by="cli"))


def test_a_panic_from_before_a_restart_still_holds() -> None:
    panic = Panic(panic_id="1", pressed_at=1, by="restart")
    levels = Levels("live", panic)
    assert levels.now.panic is panic
    assert not levels.is_over(panic)
