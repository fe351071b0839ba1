"""Running turns and taking them apart."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from bench.engines import Engines
from bench.errors import BenchError
from bench.replies import question, reply_to
from bench.script import progress
from bench.split import Split, split, stall_ms
from bench.toolkit import Asked, Toolkit

TURN_TIMEOUT_S = 30.0
QUIET_S = 0.1  # between turns
SPEAKING_S = 0.15  # she has been heard for so long when she is interrupted


@dataclass(frozen=True, slots=True)
class Turn:
    """A measured turn."""

    number: int
    split: Split
    stall_ms: float


@dataclass(frozen=True, slots=True)
class BargeIn:
    """An interruption with a new line right behind it. Times count from the interruption."""

    before: Split  # the turn that was cut: a normal one on the live clock
    new: Split
    clear_ms: float  # until the listener was told to drop what it still had
    stale_ms: float  # old sound that came after that


async def one_turn(toolkit: Toolkit, engines: Engines, number: int) -> Turn | None:
    """One turn from its line to its end. None: some part of it did not happen."""
    toolkit.heard.clear()
    llm, tts = len(engines.llm), len(engines.tts)
    asked = await toolkit.ask(question(number))
    try:
        ended = await toolkit.end(asked.turn_id, TURN_TIMEOUT_S)
    except BenchError as error:
        progress(f"  turn {number}: {error.message}")
        return None
    found = _split(toolkit, engines, asked, number, llm, tts)
    if found is None:
        progress(f"  turn {number}: no sound ({ended.outcome}/{ended.reason})")
        return None
    stall = stall_ms(toolkit.sound_of(asked.turn_id))
    progress(f"  turn {number}: {found.total_ms:.0f} ms, added {found.added_ms:.1f} {found.first_segment[:32]!r}")
    return Turn(number, found, stall)


async def many_turns(toolkit: Toolkit, engines: Engines, numbers: Iterable[int]) -> list[Turn]:
    """Turn after turn; those that did not come off are missing in the answer.

    Raises:
        BenchError: `nothing_measured` when none did.
    """
    toolkit.clock = "offline"
    turns = []
    for number in numbers:
        turn = await one_turn(toolkit, engines, number)
        if turn is not None:
            turns.append(turn)
        await asyncio.sleep(QUIET_S)
    if not turns:
        raise BenchError("nothing_measured", "Not one turn came off.")
    return turns


async def barge_in(toolkit: Toolkit, engines: Engines, number: int) -> BargeIn | None:
    """Ask, let her speak, cut her and ask something else, on the live clock. None: it did not come off."""
    toolkit.clock = "live"
    toolkit.heard.clear()
    llm, tts = len(engines.llm), len(engines.tts)
    first = await toolkit.ask(question(number))
    await toolkit.first_sound(first.turn_id, TURN_TIMEOUT_S)
    await asyncio.sleep(SPEAKING_S)
    before = _split(toolkit, engines, first, number, llm, tts)
    llm, tts = len(engines.llm), len(engines.tts)
    cut_at = await toolkit.interrupt()
    second = await toolkit.ask(question(number + 7))
    await toolkit.first_sound(second.turn_id, TURN_TIMEOUT_S)
    await asyncio.sleep(SPEAKING_S)
    new = _split(toolkit, engines, Asked(second.turn_id, cut_at), number + 7, llm, tts)
    cleared = next((one.at for one in toolkit.heard if one.kind == "clear" and one.at >= cut_at), None)
    stale = sum(one.samples for one in toolkit.sound_of(first.turn_id) if cleared is not None and one.at > cleared)
    await toolkit.interrupt()
    await toolkit.end(second.turn_id, TURN_TIMEOUT_S)
    if before is None or new is None or cleared is None:
        progress(f"  interruption {number}: did not come off")
        return None
    progress(
        f"  interruption {number}: new line after {new.total_ms:.0f} ms, silent after {(cleared - cut_at) * 1e3:.1f}"
    )
    return BargeIn(before, new, (cleared - cut_at) * 1000, stale / 48)


def _split(toolkit: Toolkit, engines: Engines, asked: Asked, number: int, llm: int, tts: int) -> Split | None:
    reply = reply_to(question(number))
    sound = toolkit.sound_of(asked.turn_id)
    return split(reply, asked.text_in, engines.llm.rows(llm), engines.tts.rows(tts), sound, engines.speeds)
