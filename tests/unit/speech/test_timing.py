"""Which words were heard."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsu.protocol import WordMark
from kitsu.speech import WordTimeline, heard_text, spoken_ms

TEXT = "Hello my friend."
MARKS = (WordMark(at=0, start=0, end=5), WordMark(at=11_025, start=6, end=8), WordMark(at=22_050, start=9, end=16))
RATE_HZ = 22_050  # so that the words start at 0, 0.5 and 1 s
S = 48_000


def timeline(*, closed: bool = True) -> WordTimeline:
    timeline = WordTimeline(TEXT)
    timeline.add(MARKS, RATE_HZ)
    timeline.grow(S * 3 // 2)
    if closed:
        timeline.close(2 * S)
    return timeline


@pytest.mark.parametrize(
    ("second", "heard"),
    [
        (0, ""),
        (0.2, ""),
        (0.25, "Hello"),
        (0.5, "Hello"),
        (0.74, "Hello"),
        (0.75, "Hello my"),
        (1.49, "Hello my"),
        (1.5, TEXT),
        (2, TEXT),
        (99, TEXT),
        (-1, ""),
    ],
)
def test_a_word_counts_when_half_of_it_was_heard(second: float, heard: str) -> None:
    assert TEXT[: timeline().chars_at(round(second * S))] == heard


def test_before_the_end_is_known_the_last_word_has_its_usual_length() -> None:
    half = S + round(spoken_ms("friend.") / 2 * 48)
    assert timeline(closed=False).chars_at(half - 10) == 8
    assert timeline(closed=False).chars_at(half + 10) == len(TEXT)


def test_without_marks_characters_share_the_sound() -> None:
    shared = WordTimeline(TEXT)
    shared.grow(4800)
    assert shared.chars_at(4800) == 0  # 100 ms of what usually takes a second: not everything that came was all
    shared.close(16 * 4800)
    assert [shared.chars_at(n * 4800) for n in (0, 3, 6, 7, 8, 12, 13, 16)] == [0, 5, 5, 5, 8, 8, 16, 16]


def test_marks_belong_to_the_word_before_them() -> None:
    text = 'Kitsu, at "home", well-known!'
    words = WordTimeline(text)
    spans = ((0, 5), (7, 9), (11, 15), (18, 22), (23, 28))
    words.add([WordMark(at=place * RATE_HZ, start=start, end=end) for place, (start, end) in enumerate(spans)], RATE_HZ)
    assert [text[start:end] for _, start, end in words.words_between(0, 9 * S)] == [
        "Kitsu,", "at", 'home",', "well-", "known!",
    ]  # fmt: skip
    assert text[: words.chars_at(S // 2)] == "Kitsu,"


def test_words_are_given_out_once_and_late_ones_too() -> None:
    words = WordTimeline(TEXT)
    words.add(MARKS[:1], RATE_HZ)
    assert words.words_between(0, S) == [(0, 0, 5)]
    assert words.words_between(0, S) == []
    words.add(MARKS[1:], RATE_HZ)
    assert words.words_between(S - 100, S) == [(S - 100, 6, 8)]
    assert words.words_between(S, S + 1) == [(S, 9, 16)]


def test_words_without_marks_are_given_out_once_though_their_places_move() -> None:
    words = WordTimeline(TEXT)
    given = words.words_between(0, 4800)
    words.close(3 * 4800)
    given += words.words_between(4800, 3 * 4800)
    assert [TEXT[start:end] for _, start, end in given] == ["Hello", "my", "friend."]


def test_nothing_to_say() -> None:
    empty = WordTimeline("")
    empty.close(0)
    assert empty.chars_at(0) == 0
    assert empty.words_between(0, 100) == []


@settings(deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(-(2**31), 2**31)] * 3)),
    st.integers(1, 400_000),
    st.integers(0, 2**31),
    st.integers(-(2**31), 2**31),
)
def test_hostile_marks_stay_inside_the_text(
    marks: list[tuple[int, int, int]], rate_hz: int, total: int, at: int
) -> None:
    words = WordTimeline(TEXT)
    words.add([WordMark(at=a, start=b, end=c) for a, b, c in marks], rate_hz)
    words.close(total)
    assert 0 <= words.chars_at(at) <= len(TEXT)
    given = words.words_between(0, 2**60)
    assert all(0 <= start < end <= len(TEXT) for _, start, end in given)
    assert [place for place, _, _ in given] == sorted(place for place, _, _ in given)
    assert words.chars_at(at) <= words.chars_at(at + 1)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        ([], ""),
        ([("Hello there.", 12), ("How are you?", 3)], "Hello there. How"),
        ([("Hello there.", 0), ("How", 99)], "How"),
        ([("Hello", -4)], ""),
        ([("Hello, you", 6)], "Hello,"),
    ],
)
def test_heard_text(parts: list[tuple[str, int]], text: str) -> None:
    assert heard_text(parts) == text
