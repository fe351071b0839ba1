"""Lines for a platform's chat pass the same gate."""

from itertools import count

import pytest

from kitsu.errors import GateError, ProtocolError
from kitsu.protocol import checked
from kitsu.safety import Actions, ClosedGate, Gate, Judge, PromptWatch, RuleSet, Treatment
from kitsu.safety.judging import MAX_CODE_POINTS
from tests.unit.safety.conftest import KEY
from tests.unit.safety.test_gate import DISGUISES


async def test_a_reply_is_sealed_for_chat_alone(gate: Gate) -> None:
    verdict = await gate.judge_reply("@rita\u202e hello\nthere", turn_id="t1")
    assert verdict.reply is not None
    assert checked(verdict.reply, KEY, "chat_reply", "t1") == "@rita hello there"
    with pytest.raises(ProtocolError):
        checked(verdict.reply, KEY, "speech", "t1")


@pytest.mark.parametrize("word", DISGUISES)
async def test_what_may_not_be_said_may_not_be_written(rules: RuleSet, word: str) -> None:
    gate = Gate(rules.with_terms(["zorbly"], category="profanity"), KEY)
    verdict = await gate.judge_reply(f"@rita you {word}", turn_id="t")
    assert verdict.reply is None
    assert verdict.why.category == "profanity"


async def test_each_place_has_its_own_action() -> None:
    rules = RuleSet(()).with_terms(["zorbly"], category="odd")
    gate = Gate(rules, KEY, actions=Actions({"odd": Treatment(surfaces={"chat_reply": "allow"})}))
    assert (await gate.judge_reply("@rita zorbly", turn_id="t")).reply is not None
    assert (await gate.judge_obs_text("zorbly", turn_id="obs")).text is None
    gate.use(rules, Actions({"odd": Treatment(output="allow", surfaces={"chat_reply": "drop"})}))
    assert (await gate.judge_reply("@rita zorbly", turn_id="t")).why.action == "drop"
    assert (await gate.judge_obs_text("zorbly", turn_id="obs")).text is not None


async def test_her_instructions_are_not_written_either(gate: Gate) -> None:
    gate.watch(PromptWatch([], "bdfghjkmnpqrtv", []))
    assert (await gate.judge_reply("@rita bdfghjkmnpqrtv", turn_id="t")).why.category == "leakage"
    assert (await gate.judge_obs_text("it says bdfghjkmnpqrtv", turn_id="obs")).text is None


async def test_too_long_is_blocked_unread(gate: Gate) -> None:
    assert (await gate.judge_reply("a " * MAX_CODE_POINTS, turn_id="t")).why.rule == "too_long"


async def test_no_verdict_is_an_error(rules: RuleSet) -> None:
    closed: Judge = ClosedGate(GateError("rules_missing", "allow.yaml is not there."))
    with pytest.raises(GateError, match="closed"):
        await closed.judge_reply("hello", turn_id="t")
    with pytest.raises(GateError, match="closed"):
        await closed.judge_obs_text("hello", turn_id="obs")
    ticks = count(0, 10)
    slow = Gate(rules, KEY, clock=lambda: float(next(ticks)))
    with pytest.raises(GateError) as caught:
        await slow.judge_reply("hello", turn_id="t")
    assert caught.value.code == "gate_slow"
