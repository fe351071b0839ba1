"""Answers follow the stage's first sound: shorter when it comes late, longer again when there is time."""

from collections.abc import Iterable
from itertools import pairwise

import pytest

from kitsu_orchestrator.answer_length import ENOUGH, FACTORS, HINT, QUICK, SLOW, TURNS, AnswerLength

TARGET_MS = 1000.0


def after(turns: Iterable[float], length: AnswerLength | None = None) -> AnswerLength:
    """What turns of these first sounds (ms) lead to."""
    length = length or AnswerLength(TARGET_MS)
    for first_audio_ms in turns:
        length.spoken(first_audio_ms)
    return length


@pytest.mark.parametrize("first_audio_ms", [0, 100, 599, 700, 850])
def test_in_time_nothing_changes(first_audio_ms: float) -> None:
    length = after([first_audio_ms] * 100)
    assert (length.factor, length.max_tokens(220), length.prompt("line")) == (1.0, 220, "line")


def test_near_the_target_answers_get_shorter_step_by_step() -> None:
    length = AnswerLength(TARGET_MS)
    seen = [after([900] * ENOUGH, length).factor for _ in range(6)]
    assert seen == [*FACTORS[1:], FACTORS[-1], FACTORS[-1], FACTORS[-1]]
    assert length.max_tokens(220) == 88
    assert length.prompt("line") == f"line\n{HINT}"


@pytest.mark.parametrize("most", [1, 8, 220, 4096])
def test_there_is_always_something_to_say(most: int) -> None:
    assert 1 <= after([5000] * 100).max_tokens(most) <= most


def test_a_few_turns_prove_nothing() -> None:
    assert after([9000] * (ENOUGH - 1)).factor == 1.0


def test_one_slow_turn_proves_nothing() -> None:
    assert after(([100] * (TURNS - 1) + [9000]) * 5).factor == 1.0
    assert after([9000] + [100] * ENOUGH).factor == 1.0


def test_two_slow_turns_among_the_last_ones_do() -> None:
    assert after([100] * TURNS + [900, 900]).factor == FACTORS[1]


def test_longer_again_takes_many_quick_turns_for_each_step() -> None:
    length = after([900] * ENOUGH * 3)
    assert length.factor == FACTORS[3]
    assert after([100] * (TURNS - 1), length).factor == FACTORS[3]
    assert after([100], length).factor == FACTORS[2]
    assert after([100] * TURNS, length).factor == FACTORS[1]
    assert after([100] * TURNS, length).factor == 1.0
    assert after([100] * TURNS * 3, length).factor == 1.0


def test_between_the_limits_it_stays_as_it_is() -> None:
    length = after([900] * ENOUGH)
    assert after([600, 849] * 100, length).factor == FACTORS[1]


def test_no_step_is_as_wide_as_the_gap_between_the_limits() -> None:
    assert all(shorter / longer > QUICK / SLOW for longer, shorter in pairwise(FACTORS))


def test_a_latency_that_follows_the_length_does_not_flap() -> None:
    """Shorter answers are quicker, here just so much that the next step would lie between the limits."""
    length = AnswerLength(TARGET_MS)
    seen = []
    for _ in range(400):
        length.spoken(1000 * length.factor)
        seen.append(length.factor)
    changes = sum(before != now for before, now in pairwise(seen))
    assert (changes, seen[-1]) == (1, FACTORS[1])
