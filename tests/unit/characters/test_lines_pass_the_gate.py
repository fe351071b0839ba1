import re

import pytest

from kitsu.characters import load_character
from kitsu.config import CHECKOUT
from kitsu.safety import Gate, load_rules

CHARACTERS = sorted(path.stem for path in (CHECKOUT / "configs" / "characters").glob("*.yaml"))


@pytest.mark.parametrize("name", CHARACTERS)
async def test_every_line_passes_the_gate(name: str) -> None:
    gate = Gate(load_rules(CHECKOUT / "configs" / "safety", family_mode=True), bytes(32))
    character = load_character(name, CHECKOUT / "configs" / "characters")
    for line in character.lines():
        verdict = await gate.window("t").judge(re.sub(r"\[[^\]]*\]", "", line))
        assert verdict.allowed, (line, verdict.why)


@pytest.mark.parametrize("name", CHARACTERS)
async def test_every_example_passes_the_gate(name: str) -> None:
    gate = Gate(load_rules(CHECKOUT / "configs" / "safety", family_mode=True), bytes(32))
    for intent in load_character(name, CHECKOUT / "configs" / "characters").intents.values():
        for example in intent.examples:
            verdict = await gate.judge_input(example, author="Viewer", turn_id="t")
            assert verdict.allowed, (example, verdict.why)


async def test_her_own_orders_are_not_read_out() -> None:
    gate = Gate(load_rules(CHECKOUT / "configs" / "safety", family_mode=True), bytes(32))
    assert not (await gate.window("t").judge('<chat role="viewer" author="Bob">hi</chat>')).allowed
