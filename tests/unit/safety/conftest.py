import functools

import pytest

from kitsu.config import CHECKOUT
from kitsu.safety import Gate, RuleSet, load_rules

KEY = bytes(range(32))
RULES = CHECKOUT / "configs" / "safety"


@functools.cache
def _rules() -> RuleSet:
    return load_rules(RULES, family_mode=True)


@pytest.fixture
def rules() -> RuleSet:
    return _rules()


@pytest.fixture
def gate(rules: RuleSet) -> Gate:
    return Gate(rules, KEY)
