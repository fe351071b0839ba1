"""Her own lines must pass the gate before the show starts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kitsu.characters import load_character
from kitsu.config import CHECKOUT
from kitsu.errors import ConfigError
from kitsu.safety import RuleSet, load_rules
from kitsu.speech.saying import Speaker
from kitsu_orchestrator.own_lines import blocked_lines, check_lines

CHARACTERS = CHECKOUT / "configs" / "characters"
SPEAKER = Speaker("en")


@pytest.mark.parametrize("name", sorted(path.stem for path in CHARACTERS.glob("*.yaml")))
def test_those_of_the_shipped_characters_do(name: str) -> None:
    rules = load_rules(CHECKOUT / "configs" / "safety", family_mode=True)
    check_lines(load_character(name, CHARACTERS), CHARACTERS, rules, SPEAKER)


@pytest.mark.parametrize(
    "word", ["whiskers say we", "headphone cables", "crisis line in your", "snack tournament", "couch just got longer"]
)
def test_a_bad_one_is_named_with_file_and_line(word: str) -> None:
    rules = RuleSet(()).with_terms([word])
    with pytest.raises(ConfigError) as caught:
        check_lines(load_character("kitsu", CHARACTERS), CHARACTERS, rules, SPEAKER)
    number = int(caught.value.message.partition("line ")[2].partition(" ")[0])
    assert caught.value.code == "blocked_line"
    assert word in (CHARACTERS / "kitsu.yaml").read_text(encoding="utf-8").splitlines()[number - 1]


def test_one_that_only_sounds_bad_is_found_too() -> None:
    rules, speaker = RuleSet(()).with_terms(["zorbly"]), Speaker("en", {"butterfly": "zorbly"})
    assert [where[1] for where, _rule in blocked_lines(load_character("kitsu", CHARACTERS), rules, speaker)] == [
        "brain_down"
    ]


def test_the_process_does_not_start_with_one(tmp_path: Path) -> None:
    configs = Path(shutil.copytree(CHECKOUT / "configs", tmp_path / "configs"))
    path = configs / "characters" / "kitsu.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("Nope, my whiskers", "Fucking hell, my whiskers"), encoding="utf-8"
    )
    (tmp_path / "secrets").mkdir(mode=0o700)
    token = tmp_path / "secrets" / "token"
    token.write_text("t" * 43 + "\n")
    token.chmod(0o600)
    process = subprocess.Popen(
        [sys.executable, "-m", "kitsu_orchestrator"],
        env={
            "KITSU_HOME": str(tmp_path),
            "KITSU_CONFIGS": str(configs),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PATH": os.environ["PATH"],
        },
        stdin=subprocess.PIPE,  # stays open: its end would mean stop
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stderr is not None
    with process, process.stdin, process.stderr:
        said = process.stderr.read()
        code = process.wait(60)
    assert code == 3
    assert "blocked_line" in said
    assert "kitsu.yaml, line" in said
    assert "ucking" not in said
