"""The pronunciation list: ours is fit to use, a wrong one names its line."""

from pathlib import Path

import pytest

from kitsu.config import CHECKOUT
from kitsu.errors import ConfigError
from kitsu.speech.pronunciation import load_pronunciation
from kitsu.speech.saying import Speaker


def test_ours() -> None:
    words = load_pronunciation(CHECKOUT / "configs" / "pronunciation.yaml")
    said = Speaker("en", words).say("gg Kitsu, KEKW btw <3").text
    assert said.split() == ["G", "G", "Kit", "soo,", "by", "the", "way"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("words:\n  two words: x\n...\n", 2),
        (f"words:\n  fox: fine\n  long: {'x' * 81}\n...\n", 3),
        ("emotes:\n  '': x\n...\n", 2),
        ("word:\n  a: b\n...\n", 0),
        ("words: [a]\n...\n", 0),
        ("words:\n  a: b\n", 0),
        ("", 0),
    ],
)
def test_a_wrong_one_names_its_line(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "pronunciation.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_pronunciation(path)
    assert caught.value.code == "bad_pronunciation"
    assert str(path) in caught.value.message
    if line:
        assert f"line {line}" in caught.value.message


def test_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="bad_pronunciation"):
        load_pronunciation(tmp_path / "none.yaml")
