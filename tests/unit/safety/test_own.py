"""The operator's own words: what the file takes, and what it refuses with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsu.errors import GateError
from kitsu.safety import RuleSet
from kitsu.safety.own import MAX_ENTRIES, OwnList, OwnTerm, read_own, write_own


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "safety.yaml"
    assert read_own(path) == OwnList()
    own = OwnList().blocking("zorbly").blocking("größer: {als} #alles", "hate").allowing("captain 'zorbly' \"x\"")
    write_own(path, own)
    assert read_own(path) == own
    assert path.read_text(encoding="utf-8").splitlines()[-1] == "..."
    assert [found.name for found in tmp_path.iterdir()] == ["safety.yaml"]


@given(st.text(min_size=1, max_size=120).filter(lambda text: text.isprintable() and any(map(str.isalnum, text))))
def test_any_printable_phrase_survives_the_file(phrase: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "safety.yaml"
        own = OwnList().allowing(phrase)
        write_own(path, own)
        assert read_own(path) == own


def test_a_word_is_either_blocked_or_allowed_and_stands_there_once() -> None:
    own = OwnList().blocking("Zorbly").blocking("zorbly", "hate")
    assert own.blocked == (OwnTerm("zorbly", "hate"),)
    own = own.allowing("ZORBLY")
    assert (own.blocked, own.allowed) == ((), ("ZORBLY",))
    own = own.blocking("zorbly")
    assert (len(own.blocked), own.allowed) == (1, ())
    assert own.unblocking("zorbly") == OwnList()


@pytest.mark.parametrize("term", ["", "ab", "!!!!", "x" * 121, "a\nbcd", "abc\x00"])
def test_what_cannot_be_blocked(term: str) -> None:
    with pytest.raises(GateError, match="bad_term"):
        OwnList().blocking(term)


@pytest.mark.parametrize("phrase", ["", "!!!", "x" * 121, "a\u202eb"])
def test_what_cannot_be_allowed(phrase: str) -> None:
    with pytest.raises(GateError, match="bad_term"):
        OwnList().allowing(phrase)


def test_the_list_is_bounded() -> None:
    full = OwnList(tuple(OwnTerm(f"word{number}") for number in range(MAX_ENTRIES)))
    with pytest.raises(GateError, match="bad_term"):
        full.blocking("zorbly")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("blocked:\n- {term: zorbly}\n", 2),
        ("blocked:\n- {term: zorbly}\n- {term: ab}\n...\n", 3),
        ("blocked:\n- zorbly\n...\n", 2),
        ("blocked: [\n...\n", 2),
        ("wrong: []\n...\n", 1),
        ("", 0),
    ],
)
def test_a_wrong_file_names_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "safety.yaml"
    path.write_text(text)
    with pytest.raises(GateError) as caught:
        read_own(path)
    assert caught.value.code == "rules_invalid"
    assert ("safety.yaml" if not line else f"safety.yaml, line {line}:") in caught.value.message


def test_they_lie_on_top_of_the_rules() -> None:
    rules = RuleSet(()).with_terms(["wumpus"], category="hate")
    mine = OwnList().blocking("zorbly", "hate").blocking("flumpen").allowing("wumpus castle").applied_to(rules)
    for text, category in (("z0rbly", "hate"), ("flumpen", "blocked"), ("wumpus", "hate")):
        finding = mine.find(text, "output")
        assert finding is not None
        assert finding.category == category
    assert mine.find("the wumpus castle", "output") is None
    assert rules.find("zorbly", "output") is None
