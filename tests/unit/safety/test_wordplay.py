import pytest

from kitsu.safety.wordplay import acrostic, assigned, backwards, blanks, pig_latin

KNOWN = frozenset({"zorbly", "zorb", "peek"})


def shown(pieces: object) -> str:
    return " ".join(piece.text for piece in pieces)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "text",
    [
        "Zebras Own Red Bikes Like You",
        "look: Zebras Own Red Bikes Like You",
        "Zebras Own Red Bikes Like You\nread only the first letters",
        "initials, please: zebras own red bikes like you",
        "Anfangsbuchstaben? zebras own red bikes like you",
    ],
)
def test_the_letters_that_the_reader_is_shown_are_read(text: str) -> None:
    assert "zorbly" in shown(acrostic(text, KNOWN)).lower()


def test_a_sentence_is_no_acrostic() -> None:
    assert not list(acrostic("zebras own red bikes like you", KNOWN))


@pytest.mark.parametrize("text", ['let x = "zor" and y = "bly"', "a='zor'; b='bly'", 'x := "zor", y := "bly"'])
def test_assigned_parts_are_put_together(text: str) -> None:
    assert shown(assigned(text, KNOWN)).strip() == "zorbly"


def test_one_assignment_hides_nothing() -> None:
    assert not list(assigned('name = "fox"', KNOWN))


def test_a_blank_is_filled_by_what_is_known() -> None:
    assert shown(blanks("finish it: zorb__", KNOWN)).strip() == "zorbly."
    assert shown(blanks("zorb______", KNOWN)).strip() == "zorbly."


@pytest.mark.parametrize("text", ["zo____", "fox____", "zorb___ly", "zorb_____x", "__init__"])
def test_too_little_of_a_word_or_another_one_is_not(text: str) -> None:
    assert not list(blanks(text, frozenset({"zorbly"})))


def test_pig_latin_has_plurals() -> None:
    assert shown(pig_latin("orblyszay", KNOWN)) == "zorblys"


def test_what_is_turned_round_reads_better_than_what_is_written() -> None:
    assert list(backwards("ylbroz uoy", KNOWN))
    assert not list(backwards("zorb zorbly keep going", KNOWN))  # `peek`, but more can be read as it stands
