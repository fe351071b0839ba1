"""Who has confirmed a panic: measured, late or gone, and never assumed silent."""

import asyncio
from typing import Any

import pytest

from kitsu.protocol import PanicConfirmed, PanicExit
from kitsu_orchestrator import panic as module
from kitsu_orchestrator.panic import Confirmations

PANIC = "0123456789abcdef"
EXITS = ["voice", "playout", "overlay:1"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LATE_AFTER_S", 0.02)


def confirmed(name: str, panic_id: str = PANIC, **more: Any) -> PanicConfirmed:
    return PanicConfirmed(panic_id=panic_id, exit=name, **{"latency_ms": 0.1, **more})


def states(exits: tuple[PanicExit, ...]) -> dict[str, str]:
    return {row.exit: row.state for row in exits}


async def settled(confirmations: Confirmations) -> dict[str, str]:
    return states(await asyncio.wait_for(confirmations.settle(), 5))


async def test_nobody_is_silent_before_saying_so() -> None:
    confirmations = Confirmations(PANIC, EXITS)
    assert states(confirmations.exits()) == dict.fromkeys(EXITS, "pending")
    assert all(row.latency_ms == 0 for row in confirmations.exits())


async def test_all_answers_settle_it_at_once() -> None:
    confirmations = Confirmations(PANIC, EXITS)
    settling = asyncio.create_task(confirmations.settle())
    for name in EXITS:
        await asyncio.sleep(0)
        assert not settling.done()
        confirmations.confirm(confirmed(name, detail=f"{name} is silent"))
    async with asyncio.timeout(module.LATE_AFTER_S / 2):
        exits = await settling
    assert [(row.exit, row.state, row.detail) for row in exits] == [
        (name, "confirmed", f"{name} is silent") for name in EXITS
    ]


async def test_the_time_is_our_own_measurement_and_not_what_the_exit_claims() -> None:
    confirmations = Confirmations(PANIC, ["voice"])
    await asyncio.sleep(0.02)
    confirmations.confirm(confirmed("voice", latency_ms=-5.0))
    (row,) = confirmations.exits()
    assert 15 <= row.latency_ms < 1000


async def test_without_exits_there_is_nothing_to_wait_for() -> None:
    async with asyncio.timeout(module.LATE_AFTER_S / 2):
        assert await Confirmations(PANIC, []).settle() == ()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("silent", [EXITS[:1], EXITS[1:], EXITS])
async def test_who_does_not_answer_is_late(silent: list[str]) -> None:
    confirmations = Confirmations(PANIC, EXITS)
    for name in set(EXITS) - set(silent):
        confirmations.confirm(confirmed(name))
    exits = await confirmations.settle()
    assert states(exits) == {name: "late" if name in silent else "confirmed" for name in EXITS}
    assert all(row.latency_ms >= 15 for row in exits if row.state == "late")
    assert confirmations.exits() == exits


@pytest.mark.usefixtures("impatient")
async def test_who_answers_late_is_silent_all_the_same() -> None:
    confirmations = Confirmations(PANIC, EXITS)
    assert set((await settled(confirmations)).values()) == {"late"}
    for name in EXITS:
        confirmations.confirm(confirmed(name))
    assert await settled(confirmations) == dict.fromkeys(EXITS, "confirmed")


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("panic_id", ["", "another", PANIC.upper(), PANIC + " ", PANIC[:-1], "\0"])
async def test_the_answer_to_another_panic_confirms_nothing(panic_id: str) -> None:
    confirmations = Confirmations(PANIC, EXITS)
    for name in EXITS:
        confirmations.confirm(confirmed(name, panic_id))
    assert states(confirmations.exits()) == dict.fromkeys(EXITS, "pending")
    assert set((await settled(confirmations)).values()) == {"late"}


async def test_who_left_the_hub_is_silent_by_itself() -> None:
    confirmations = Confirmations(PANIC, EXITS)
    confirmations.confirm(confirmed("voice", detail="last sample"))
    for name in ("voice", "playout", "overlay:1"):
        confirmations.gone(name)
    exits = await asyncio.wait_for(confirmations.settle(), module.LATE_AFTER_S / 2)
    assert [row.detail for row in exits] == ["last sample", "it left the hub", "it left the hub"]
    assert set(states(exits).values()) == {"confirmed"}


async def test_who_was_never_expected_and_leaves_is_no_exit() -> None:
    confirmations = Confirmations(PANIC, EXITS)
    confirmations.gone("overlay:99")
    assert list(states(confirmations.exits())) == EXITS


async def test_who_came_after_the_press_and_confirms_is_listed_too() -> None:
    confirmations = Confirmations(PANIC, ["voice"])
    confirmations.confirm(confirmed("overlay:new"))
    assert states(confirmations.exits()) == {"voice": "pending", "overlay:new": "confirmed"}
    confirmations.confirm(confirmed("voice"))
    assert await settled(confirmations) == {"voice": "confirmed", "overlay:new": "confirmed"}


async def test_an_exit_that_is_named_twice_answers_once() -> None:
    confirmations = Confirmations(PANIC, ["voice", "voice"])
    confirmations.confirm(confirmed("voice"))
    assert await settled(confirmations) == {"voice": "confirmed"}


async def test_everybody_who_waits_is_told() -> None:
    confirmations = Confirmations(PANIC, EXITS)
    waiting = [asyncio.create_task(settled(confirmations)) for _ in range(3)]
    await asyncio.sleep(0)
    for name in EXITS:
        confirmations.confirm(confirmed(name))
    assert await asyncio.gather(*waiting) == [dict.fromkeys(EXITS, "confirmed")] * 3


async def test_who_stops_waiting_changes_nothing() -> None:
    confirmations = Confirmations(PANIC, EXITS)
    waiting = asyncio.create_task(confirmations.settle())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert states(confirmations.exits()) == dict.fromkeys(EXITS, "pending")


async def test_an_exit_that_knows_it_failed_is_red_at_once_and_may_still_follow() -> None:
    confirmations = Confirmations(PANIC, ["obs", "voice"])
    confirmations.confirm(confirmed("voice"))
    confirmations.fail("obs", "OBS does not answer")
    async with asyncio.timeout(module.LATE_AFTER_S / 2):
        exits = await confirmations.settle()
    assert [(row.exit, row.state, row.detail) for row in exits if row.exit == "obs"] == [
        ("obs", "late", "OBS does not answer")
    ]
    confirmations.confirm(confirmed("obs"))
    assert states(confirmations.exits()) == {"obs": "confirmed", "voice": "confirmed"}
