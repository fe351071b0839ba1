"""A second opinion from a guard model. It can only block, never let through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from kitsu.errors import GateError
from kitsu.safety import Gate, RuleSet
from kitsu.safety.guard import GuardedGate, GuardModel
from tests.fakes.ollama import FakeOllama, speak
from tests.fakes.ollama_exchange import Script
from tests.fakes.ollama_faults import (
    cut_after,
    endless_line,
    ends_after,
    error_after,
    hang_after,
    page,
    raw,
    refuse,
    slam,
    unloaded,
)
from tests.unit.safety.conftest import KEY

MODEL = "llama-guard3:1b"
BAD: dict[str, Script] = {
    "refuses": refuse(500, "out of memory"),
    "no such model": refuse(404, "model not found"),
    "breaks off": cut_after(1),
    "ends without an end": ends_after(1),
    "an error in the stream": error_after(1),
    "hangs at once": hang_after(0, head=False),
    "hangs later": hang_after(1),
    "somebody else's page": page(),
    "no words": unloaded(),
    "other words": speak(["I am", " not sure", " about that."]),
    "safe and more": speak(["safe", " unless asked nicely"]),
    "unsafe and more": speak(["unsafe", " maybe?"]),
    "nothing": speak([""]),
    "garbage": raw(b"\xff\xfe{[" * 50),
    "not an object": raw(b"[1, 2]\n"),
    "wrong kinds": raw(b'{"message": {"content": 5}, "done": true}\n'),
    "an endless line": endless_line(),
    "closes": slam(),
}


@asynccontextmanager
async def guarded(
    when_down: Literal["block", "rules"] = "block", budget_ms: float = 400.0
) -> AsyncIterator[tuple[GuardedGate, GuardModel, FakeOllama]]:
    async with FakeOllama(MODEL) as ollama:
        ollama.reply = ["safe"]
        guard = GuardModel(ollama.url, MODEL, budget_ms)
        gate = Gate(RuleSet(()).with_terms(["zorbly"]), KEY, budget_ms=2000)
        try:
            yield GuardedGate(gate, guard, when_down), guard, ollama
        finally:
            await guard.close()


async def ask(gate: GuardedGate, text: str = "hello there") -> Any:
    return await gate.judge_input(text, author="Ann", turn_id="t")


async def test_safe_passes_and_the_rules_still_count() -> None:
    async with guarded() as (gate, guard, ollama):
        verdict = await ask(gate)
        assert (verdict.allowed, verdict.text) == (True, "hello there")
        assert not (await ask(gate, "you zorbly")).allowed
        window = gate.window("t")
        assert (await window.judge("All good.")).speech is not None
        assert not (await window.judge("A zorbly.")).allowed
        assert guard.counts["safe"] >= 2
        assert {message["role"] for chat in ollama.chats for message in chat["messages"]} == {"user", "assistant"}


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        (["unsafe", "\n", "S1"], "guard/S1"),
        (["\n\n", "unsafe", "\nS10"], "guard/S10"),
        (["unsafe\nS2,S9"], "guard/S2"),
        (["Unsafe"], "guard/UNSAFE"),
    ],
)
async def test_unsafe_is_blocked_and_named(reply: list[str], rule: str) -> None:
    async with guarded() as (gate, guard, ollama):
        ollama.reply = reply
        verdict = await ask(gate)
        assert not verdict.allowed
        assert (verdict.text, verdict.question) == ("", None)
        assert (verdict.why.rule, verdict.why.category, verdict.why.action) == (rule, "guard", "drop")
        said = await gate.window("t").judge("something")
        assert (said.allowed, said.speech, said.caption, said.why.action) == (False, None, None, "replace")
        assert guard.counts["unsafe"] == 2


async def test_somebody_at_risk_gets_the_calm_line() -> None:
    async with guarded() as (gate, _guard, ollama):
        ollama.reply = ["unsafe\nS11"]
        why = (await ask(gate)).why
        assert (why.category, why.action, why.crisis) == ("self_harm", "replace", True)


@pytest.mark.parametrize("how", BAD)
async def test_no_opinion_blocks(how: str) -> None:
    async with guarded(budget_ms=60) as (gate, guard, ollama):
        ollama.script(BAD[how], BAD[how])
        for judging in (ask(gate), gate.window("t").judge("something")):
            with pytest.raises(GateError) as caught:
                await judging
            assert (caught.value.code, caught.value.retryable) == ("guard_down", True)
        assert sum(guard.counts[kind] for kind in ("late", "down", "garbled")) == 2
        assert guard.trouble in ("late", "down", "garbled")
        assert (await ask(gate)).allowed
        assert guard.trouble == ""


@pytest.mark.parametrize("how", BAD)
async def test_no_opinion_leaves_it_to_the_rules_when_told_so(how: str) -> None:
    async with guarded("rules", budget_ms=60) as (gate, _guard, ollama):
        ollama.script(BAD[how])
        assert (await ask(gate)).allowed
        assert not (await ask(gate, "you zorbly")).allowed


async def test_nobody_there_blocks() -> None:
    async with guarded() as (gate, guard, ollama):
        await ollama.stop()
        with pytest.raises(GateError, match="guard_down"):
            await ask(gate)
        assert guard.counts == {"down": 1}
        assert not (await ask(gate, "you zorbly")).allowed  # what the rules block needs no opinion


async def test_it_is_asked_beside_the_rules_and_within_its_budget() -> None:
    async with guarded(budget_ms=50) as (gate, guard, ollama):
        ollama.script(hang_after(1))
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(GateError):
            await ask(gate)
        assert loop.time() - began < 1
        assert guard.counts == {"late": 1}
        await asyncio.wait_for(ollama.aborted.wait(), 2)


async def test_a_sentence_over_two_segments_is_read_whole() -> None:
    async with guarded() as (gate, _guard, ollama):
        window = gate.window("t")
        await window.judge("First this,")
        await window.judge("then that.")
        assert ollama.chats[-1]["messages"] == [{"role": "assistant", "content": "First this, then that."}]


async def test_what_the_operator_pardoned_is_not_asked_about() -> None:
    async with guarded() as (gate, _guard, ollama):
        ollama.reply = ["unsafe\nS1"]
        verdict = await gate.pardon("you zorbly", author="Ann", turn_id="t")
        assert (verdict.allowed, verdict.question) == (True, None)
        assert ollama.chats == []


async def test_it_tells_when_it_goes_and_when_it_is_back() -> None:
    async with guarded() as (gate, guard, ollama):
        told: list[str] = []
        guard.changed = told.append
        ollama.script(refuse(500, "no"), refuse(500, "no"))
        for _ in range(2):
            with pytest.raises(GateError):
                await ask(gate)
        await ask(gate)
        assert told == ["down", ""]


async def test_the_model_is_loaded_before_anybody_waits_for_it() -> None:
    async with guarded() as (_gate, guard, ollama):
        warming = asyncio.create_task(guard.keep_warm())
        async with asyncio.timeout(5):
            while MODEL not in ollama.loaded:  # noqa: ASYNC110 - the fake has no event for it
                await asyncio.sleep(0.01)
        warming.cancel()


async def test_a_reply_for_chat_is_asked_about_too() -> None:
    async with guarded() as (gate, guard, ollama):
        assert (await gate.judge_reply("@ann hello", turn_id="t")).reply is not None
        assert (await gate.judge_reply("@ann zorbly", turn_id="t")).reply is None
        ollama.reply = ["unsafe\nS10"]
        verdict = await gate.judge_reply("@ann hello", turn_id="t")
        assert (verdict.reply, verdict.why.rule) == (None, "guard/S10")
        asked = guard.counts.total()
        assert (await gate.judge_obs_text("Back soon", turn_id="obs")).text is not None
        assert guard.counts.total() == asked, "the operator's own words"


async def test_without_its_opinion_no_reply_is_written() -> None:
    async with guarded() as (gate, _, ollama):
        ollama.script(refuse(500, "out of memory"))
        with pytest.raises(GateError) as caught:
            await gate.judge_reply("@ann hello", turn_id="t")
        assert caught.value.code == "guard_down"
        ours = await gate.judge_reply("@ann everything is silent", turn_id="t", ours=True)
        assert ours.reply is not None, "a panic is confirmed all the same"
        assert (await gate.judge_reply("@zorbly everything is silent", turn_id="t", ours=True)).reply is None
