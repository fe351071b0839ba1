"""What is done with what the gate finds: over the real hub and the real REST door."""

from pathlib import Path
from typing import Any

import pytest

from kitsu.protocol import PolicyRespond, TtsSynthesize
from kitsu.safety import Actions, Gate, RuleSet, Treatment
from tests.integration.orchestrator_stack import BLOCKED, KEY, gate, kitsu, stack
from tests.integration.safety_stage import show_with, treating


async def test_careful_goes_to_the_model_with_a_note_and_is_not_shown(tmp_path: Path) -> None:
    async with show_with(tmp_path, input="careful") as (show, page):
        turn = await show.chat(f"a {BLOCKED} line", author="Ann")
        assert (turn["outcome"], turn["text"]) == ("spoken", "")
        prompt = show.brain.all(PolicyRespond)[0].prompt
        quoted, _, note = prompt.partition("</chat>")
        assert BLOCKED in quoted
        assert BLOCKED not in note
        assert "about odd" in note
        started = await page.until("turn.started")
        assert "question" not in started


@pytest.mark.parametrize(
    ("action", "outcome", "heard"),
    [("drop", "blocked", False), ("stop", "blocked", False), ("replace", "fallback", True), ("allow", "spoken", True)],
)
async def test_input_actions(tmp_path: Path, action: Any, outcome: str, heard: bool) -> None:
    async with show_with(tmp_path, input=action) as (show, page):
        turn = await show.chat(BLOCKED)
        assert (turn["outcome"], bool(turn["heard"])) == (outcome, heard)
        assert bool(show.brain.all(PolicyRespond)) == (action == "allow")
        if action == "stop":
            assert (await page.until("stream.notice", code="line_stopped"))["level"] == "error"


@pytest.mark.parametrize(
    ("action", "outcome"), [("drop", "blocked"), ("stop", "blocked"), ("replace", "fallback"), ("allow", "spoken")]
)
async def test_output_actions(tmp_path: Path, action: Any, outcome: str) -> None:
    async with show_with(tmp_path, output=action) as (show, page):
        show.brain.answers.append(f"You {BLOCKED}.")
        turn = await show.chat("hello")
        assert turn["outcome"] == outcome
        assert (BLOCKED in turn["heard"]) == (action == "allow")
        if action == "stop":
            assert BLOCKED not in str(await page.until("stream.notice", code="gate_stopped"))


async def test_stop_cuts_what_is_sounding(tmp_path: Path) -> None:
    async with stack(tmp_path, judge=treating(output="stop"), held=True) as show:
        show.brain.auto = False
        turn_id = await show.send("hello")
        request = await show.brain.expect(PolicyRespond)
        await show.brain.say(request, "Once upon a time there was a fox, who lived on a hill. ")
        await show.voice.expect(TtsSynthesize)
        await show.brain.say(request, f"It met a {BLOCKED}. ")
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["reason"]) == ("blocked", "output_gate")
        assert "turn.cancelled" in [step["event"] for step in turn["story"]]


async def test_a_line_to_be_careful_with_hides_nothing_worse(tmp_path: Path) -> None:
    rules = RuleSet(()).with_terms(["wumpus"], category="worse").with_terms([BLOCKED], category="odd")
    judge = Gate(rules, KEY, actions=Actions({"odd": Treatment(input="careful")}), budget_ms=2000)
    async with stack(tmp_path, judge=judge) as show:
        assert (await show.chat(f"{BLOCKED} wumpus"))["outcome"] == "blocked"
        assert (await show.chat(BLOCKED))["outcome"] == "spoken"


async def test_a_surface_may_differ_from_its_stage(tmp_path: Path) -> None:
    async with show_with(tmp_path, input="replace", surfaces={"author": "allow"}) as (show, _page):
        turn = await show.chat("hi", author=f"{BLOCKED}")
        assert (turn["outcome"], turn["author"]) == ("spoken", BLOCKED)


async def test_who_is_in_a_bad_place_gets_one_calm_line_and_the_operator_is_told(tmp_path: Path) -> None:
    rules = RuleSet(()).with_terms(["sadword"], category="self_harm")
    judge = Gate(rules, KEY, actions=Actions({"self_harm": Treatment(input="replace", crisis=True)}), budget_ms=2000)
    calm = kitsu().fallbacks["self_harm"][0]
    async with stack(tmp_path, judge=judge) as show, show.page() as page:
        heard = [(await show.chat("sadword", author=author))["heard"] for author in ("Ann", "ann", "Bob")]
        assert heard == [calm, "", calm]
        for _ in range(3):
            notice = await page.until("stream.notice", code="viewer_in_crisis")
            assert notice["level"] == "error"
            assert "sadword" not in notice["message"]


def test_the_gate_of_the_tests_is_the_real_one() -> None:
    assert type(gate()) is Gate
