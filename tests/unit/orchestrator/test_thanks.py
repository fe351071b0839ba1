"""What somebody writes with a sub, cheer or reward passes the gate like any line."""

from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest

from kitsu.safety import Actions, Gate, RuleSet, Treatment
from kitsu_orchestrator.config import DeadAirSettings
from kitsu_orchestrator.thanks import Stimulus, Thanks
from tests.unit.safety.conftest import KEY


async def thanked(treatment: Treatment) -> tuple[str, MagicMock]:
    """What the model is asked to thank for, and the show."""
    rules = RuleSet(()).with_terms(["zorbly"], category="odd")
    gate = Gate(rules, KEY, actions=Actions({"odd": treatment}), budget_ms=2000)

    async def verdict(judging):  # type: ignore[no-untyped-def]
        return await judging

    show = MagicMock(studio=SimpleNamespace(gate=gate, verdict=verdict, character=MagicMock(thanks={})))
    cue = await Thanks(show, DeadAirSettings())._cue([Stimulus("sub", "Ann", text="so zorbly")], 0)
    return cue.prompt, show


@pytest.mark.parametrize("action", ["careful", "hold", "drop", "replace"])
async def test_what_is_not_harmless_is_left_out(action: str) -> None:
    prompt, show = await thanked(Treatment(input=action))  # type: ignore[arg-type]
    assert "Ann" in prompt
    assert "zorbly" not in prompt
    assert not show.notice.called


async def test_the_operator_hears_of_somebody_in_a_bad_place() -> None:
    prompt, show = await thanked(Treatment(input="replace", crisis=True))
    assert "zorbly" not in prompt
    assert show.notice.call_args.args[:2] == ("error", "viewer_in_crisis")


async def test_the_rest_is_passed_on() -> None:
    prompt, _ = await thanked(Treatment(input="allow"))
    assert "so zorbly" in prompt
