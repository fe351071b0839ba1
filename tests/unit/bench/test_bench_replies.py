import pytest

from bench.replies import (
    REPLIES,
    first_clause_tokens,
    first_sentence_tokens,
    question,
    reply_to,
    tokens,
    tokens_for_segment,
)
from bench.speeds import Speeds
from kitsu.characters import quote_line


def test_the_last_number_picks_the_reply() -> None:
    assert reply_to(question(3)) == REPLIES[3]
    assert reply_to("turn 1 of 23") == REPLIES[3]
    assert reply_to("no number") == REPLIES[0]


@pytest.mark.parametrize("number", range(40))
def test_the_quoted_line_still_picks_it(number: int) -> None:
    quoted = quote_line("viewer", "bench", question(number))
    assert reply_to(quoted) == reply_to(question(number))


@pytest.mark.parametrize("reply", REPLIES)
def test_replies_are_easy_text(reply: str) -> None:
    assert "".join(tokens(reply)) == reply
    assert not any(character.isdigit() for character in reply)
    assert first_clause_tokens(reply) <= first_sentence_tokens(reply)


def test_tokens_of_the_first_clause_and_sentence() -> None:
    assert first_clause_tokens("Oh wow, welcome.") == 2
    assert first_clause_tokens("one two three four five.") == 4
    assert first_sentence_tokens("one two three four five. Six.") == 5
    assert first_sentence_tokens("no end") == 2


def test_a_segment_is_found_whatever_its_marks() -> None:
    assert tokens_for_segment("Oh wow, welcome to it.", "oh wow") == 2
    assert tokens_for_segment("Oh wow, welcome to it.", "Oh wow, welcome") == 3
    assert tokens_for_segment("Oh wow, welcome to it.", "welcome") is None
    assert tokens_for_segment("Oh wow, welcome to it.", "...") is None


def test_limits_are_engine_time_alone() -> None:
    speeds = Speeds()
    assert speeds.clause_limit_ms("Oh wow, welcome to it.") == 150 + 25 + 80
    assert speeds.sentence_limit_ms("Oh wow, welcome to it.") == 150 + 4 * 25 + 80
