import re
from pathlib import Path

import pytest

from kitsu.characters import Character, load_character, system_prompt
from kitsu.config import CHECKOUT
from kitsu.errors import ConfigError

FOLDER = CHECKOUT / "configs" / "characters"

SMALL = """\
id: fox
name: Fox
pronouns: they/them
persona: [A fox.]
limits: [Bite.]
expressions: [smile]
actions: [wave]
fallbacks:
  blocked: [Nope.]
  brain_down: [Hm.]
  empty: [Oh.]
intents:
  greeting:
    examples: [hi, "no"]
    lines: ["[wave] Hi."]
  fallback:
    lines: ["[smile] What?"]
...
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "fox.yaml").write_text(SMALL)
    return tmp_path


def complaint(folder: Path, name: str = "fox") -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_character(name, folder)
    return caught.value


def test_a_small_character_loads(folder: Path) -> None:
    fox = load_character("fox", folder)
    assert fox.name == "Fox"
    assert fox.expressions == {"smile"}
    assert fox.intents["greeting"].examples == ("hi", "no")
    assert list(fox.lines()) == ["Nope.", "Hm.", "Oh.", "[wave] Hi.", "[smile] What?"]


@pytest.mark.parametrize("name", ["wolf", "../fox", "", "a" * 41, "fox.yaml", "C:\\fox", "füchs"])
def test_an_unknown_character_names_those_there_are(folder: Path, name: str) -> None:
    error = complaint(folder, name)
    assert error.code == "no_such_character"
    assert "Allowed: fox" in error.message


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("id: fox", "id: wolf", 1, "'fox'"),
        ("name: Fox", "name: ''", 2, "name"),
        ("persona: [A fox.]", "persona: A fox.", 4, "array"),
        ("expressions: [smile]", "expressions: [Smile!]", 6, "lower-case"),
        ("  blocked: [Nope.]\n", "", 8, "blocked"),
        ("  empty: [Oh.]", "  empty: []", 8, "empty"),
        ("  fallback:\n", "  fall:\n", 12, "fallback"),
        ('examples: [hi, "no"]', "examples: []", 13, "greeting"),
        ('["[wave] Hi."]', '[Hey., "[dance] Hi."]', 15, "[dance]"),
        ('["[wave] Hi."]', '["[wave]"]', 15, "say something"),
        ("[Hm.]", '["[dance] Hm."]', 10, "[dance]"),
        ('    lines: ["[smile] What?"]\n', "    examples: [a]\n", 16, "lines"),
        ("pronouns: they/them\n", "pronouns: they/them\ncolour: red\n", 1, "colour"),
        ("...\n", "", 17, "half-written"),
        ("id: fox", "id: [fox", 2, "YAML"),
    ],
)
def test_a_bad_character_names_file_and_line(folder: Path, old: str, new: str, line: int, what: str) -> None:
    assert old in SMALL
    (folder / "fox.yaml").write_text(SMALL.replace(old, new))
    error = complaint(folder)
    assert error.code == "bad_character"
    assert f"fox.yaml, line {line}:" in error.message
    assert what in error.message


def kitsu() -> Character:
    return load_character("kitsu", FOLDER)


def test_kitsu_has_enough_to_say() -> None:
    character = kitsu()
    assert len(character.intents) >= 15
    for name, intent in character.intents.items():
        assert len(intent.lines) >= 4, name
        assert len(set(intent.lines)) == len(intent.lines), name
        assert name == "fallback" or len(intent.examples) >= 8, name
    examples = [example for intent in character.intents.values() for example in intent.examples]
    assert len(set(examples)) == len(examples)
    assert {"greeting", "who_are_you", "are_you_ai", "fallback"} <= set(character.intents)


def test_kitsu_is_honest_about_her_demo_brain() -> None:
    character = kitsu()
    assert sum("demo brain" in line for line in character.intents["are_you_ai"].lines) >= 3
    assert any("demo brain" in line for line in character.intents["fallback"].lines)


def test_kitsus_lines_speak_well() -> None:
    lines = list(kitsu().lines())
    spoken = [re.sub(r"\[[^\]]*\]", "", line).strip() for line in lines]
    assert all(len(line) <= 200 and line[-1] in ".!?" for line in spoken)
    assert sum("," in line for line in spoken) > 0.8 * len(spoken)
    assert all(line.count("[") <= 1 for line in lines)


def test_the_system_prompt_never_changes_by_itself() -> None:
    prompt = system_prompt(kitsu())
    assert prompt == system_prompt(kitsu())
    assert "Kitsu" in prompt
    assert "[smile]" in prompt
    assert "[wave]" in prompt
    assert prompt.index("[angry]") < prompt.index("[smile]")
