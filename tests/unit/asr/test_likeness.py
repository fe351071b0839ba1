"""How much a command must sound like what was heard freely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsu_asr.likeness import APART, FITS, distance, is_command

SOUNDS = st.lists(st.sampled_from(["AA", "AE", "B", "P", "S", "T", "ZZ"]), max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("S K IH P", "S K IH P", 0),
        ("S K IH P", "S K IH B", 0.5),
        ("S K IH P", "S T AA P", 1.5),
        ("M Y UW T", "", 4),
        ("", "", 0),
        ("", "HH AY", 2),
    ],
)
def test_distance(one: str, other: str, apart: float) -> None:
    assert distance(one.split(), other.split()) == apart


@given(SOUNDS, SOUNDS)
def test_distance_is_the_same_both_ways_and_bounded(one: list[str], other: list[str]) -> None:
    apart = distance(one, other)
    assert apart == distance(other, one)
    assert abs(len(one) - len(other)) <= apart <= max(len(one), len(other))
    assert (apart == 0) == (one == other)


def test_the_less_it_sounds_alike_the_better_it_must_fit() -> None:
    command = ["S", "K", "IH", "P"]
    assert is_command(FITS / 1000, command, command)
    assert not is_command(FITS / 1000, command, ["S", "T", "IH", "P"])
    assert is_command((FITS + APART / 4) / 1000, command, ["S", "T", "IH", "P"])
    assert not is_command(
        (FITS + APART) / 1000,
        command,
        ["some", "talk", "that", "goes", "on", "for", "a", "while", "and", "is", "no", "command"],
    )


def test_without_likelihoods_only_nearly_the_same_counts() -> None:
    command = ["S", "K", "IH", "P", "DH", "AE", "T"]
    assert is_command(None, command, ["S", "K", "IH", "P", "DH", "AH", "T"])
    assert not is_command(None, command, ["S", "T", "AA", "P"])
    assert not is_command(None, [], ["S"])
