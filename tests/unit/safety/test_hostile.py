"""Whatever comes in: a verdict in linear time, no exception."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsu.safety import RuleSet, load_rules
from tests.unit.safety.conftest import RULES

LENGTH = 2000  # code points, the cap of intake
GENEROUS_MS = 60.0  # the aim is 5 ms p99; this machine may be busy


def hostile() -> dict[str, str]:
    chance = random.Random(7)
    anything = "".join(chr(chance.randrange(1, 0x110000)) for _ in range(LENGTH))
    return {
        "one letter": "a" * LENGTH,
        "spaced letters": "f u " * (LENGTH // 4),
        "innocent gaps": "go ok " * (LENGTH // 6),
        "allowed words": "scunthorpe " * (LENGTH // 11),
        "glued allowed words": "scunthorpe" * (LENGTH // 10),
        "signs": "@$!+|*" * (LENGTH // 6),
        "signs between letters": "a@$!b+|*" * (LENGTH // 8),
        "masked letters": "a*" * (LENGTH // 2),
        "spaced signs": "a $ $ " * (LENGTH // 6),
        "digits": "4111 " * (LENGTH // 5),
        "spaced digits": "1 " * (LENGTH // 2),
        "number words": "one two " * (LENGTH // 8),
        "half an address": "a@a." * (LENGTH // 4),
        "half an order": "ignore all " * (LENGTH // 11),
        "half a threat": "i will find you and " * (LENGTH // 20),
        "ligatures": "ﷺ" * LENGTH,
        "combining": "e" + "\u0301" * (LENGTH - 1),
        "invisible": "\u200b" * LENGTH,
        "surrogates": "\ud800" * LENGTH,
        "brackets": "[(<" * (LENGTH // 3),
        "anything": anything,
        "cased anything": anything.upper(),
    }


@pytest.mark.parametrize("name", hostile())
def test_hostile_text_is_judged_quickly(rules: RuleSet, name: str) -> None:
    text = hostile()[name]
    times = []
    for _ in range(5):
        begin = time.process_time()
        rules.find(text, "input")
        times.append((time.process_time() - begin) * 1000)
    assert min(times) < GENEROUS_MS


@pytest.mark.parametrize("piece", ["go ok ", "a", "f u ", "scunthorpe", "1 ", "ignore all ", "\u0301"])
def test_time_grows_with_length_only(rules: RuleSet, piece: str) -> None:
    def best(count: int) -> float:
        text = piece * count
        times = []
        for _ in range(5):
            begin = time.process_time()
            rules.find(text, "output")
            times.append(time.process_time() - begin)
        return min(times)

    best(100)
    assert best(3200) < 16 * 3 * best(200) + 0.02  # linear with room for noise; quadratic would be 256 times


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.characters(), max_size=400))
def test_no_text_breaks_the_rules(text: str) -> None:
    finding = _RULES.find(text, "input")
    if finding is not None:
        assert 0 <= finding.start < finding.end <= len(text)


_RULES = load_rules(RULES, family_mode=True).with_terms(["zorbly"])


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(["zorbly", "Z O R B L Y", "z0rbly", "ｚｏｒｂｌｙ"]))
def test_no_surrounding_hides_a_word(before: str, after: str, word: str) -> None:
    assert _RULES.find(f"{before} , {word} , {after}", "output") is not None
