import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kitsu.errors import ConfigError, GateError
from kitsu.safety import load_rulebook, load_rules
from tests.unit.safety.conftest import RULES

Spoil = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "safety"))


def complaint(folder: Path) -> GateError:
    with pytest.raises(GateError) as caught:
        load_rules(folder, family_mode=True)
    return caught.value


@pytest.mark.parametrize("name", ["categories.yaml", "allow.yaml", "definitions.yaml"])
def test_a_missing_file_closes_the_gate(folder: Path, name: str) -> None:
    (folder / name).unlink()
    error = complaint(folder)
    assert error.code == "rules_missing"
    assert name in error.message


@pytest.mark.parametrize("kind", ["lexicon", "patterns"])
def test_at_least_one_file_of_each_kind_is_needed(folder: Path, kind: str) -> None:
    for path in folder.glob(f"{kind}.*.yaml"):
        path.unlink()
    assert complaint(folder).code == "rules_missing"
    assert complaint(folder.parent / "nowhere").code == "rules_missing"


@pytest.mark.parametrize(
    "name", ["categories.yaml", "allow.yaml", "definitions.yaml", "patterns.data.yaml", "lexicon.en.yaml"]
)
@pytest.mark.parametrize("share", [0, 0.3, 0.7, 0.99])
def test_a_half_written_file_closes_the_gate(folder: Path, name: str, share: float) -> None:
    path = folder / name
    path.write_text(path.read_text()[: int(len(path.read_text()) * share)])
    error = complaint(folder)
    assert error.code == "rules_invalid"
    assert name in error.message


@pytest.mark.parametrize(
    ("name", "text", "line", "what"),
    [
        ("allow.yaml", "allowed: [a]\ncommon: {b: c}\n...\n", 2, "array"),
        ("allow.yaml", "allowed: [a]\ncommon: []\nextra: []\n...\n", 1, "extra"),
        ("allow.yaml", "allowed: [a\n...\n", 2, "YAML"),
        ("allow.yaml", "allowed: []\nallowed: []\ncommon: []\n...\n", 1, "twice"),
        ("lexicon.en.yaml", "terms:\n  profanity:\n    words:\n      - zorbly\n      - xy\n...\n", 5, "3 letters"),
        ("lexicon.en.yaml", "terms:\n  profanity:\n    words: [zorbly, this]\n...\n", 3, "common word"),
        ("lexicon.en.yaml", "terms:\n  rudeness:\n    words: [zorbly]\n...\n", 2, "rudeness"),
        ("lexicon.en.yaml", "terms:\n  profanity:\n    word: [zorbly]\n...\n", 2, "word"),
        (
            "patterns.data.yaml",
            "patterns:\n  - name: a\n    category: hate\n    pattern: 'a'\n"
            "  - name: b\n    category: hate\n    pattern: '(?=b)'\n...\n",
            7,
            "RE2",
        ),
        ("patterns.data.yaml", "patterns:\n  - {name: a, category: nope, pattern: a}\n...\n", 2, "nope"),
        ("patterns.data.yaml", "patterns:\n  - {name: a, category: hate, pattern: a, check: x}\n...\n", 2, "x"),
        ("categories.yaml", "categories:\n  hate:\n    about: x\n    stages: [inputs]\n...\n", 4, "inputs"),
        ("categories.yaml", "categories:\n  hate:\n    about: x\n    input: shout\n...\n", 4, "shout"),
        ("categories.yaml", "categories:\n  hate:\n    about: x\n    output: hold\n...\n", 4, "hold"),
        ("categories.yaml", "categories:\n  hate:\n    about: x\n    output: careful\n...\n", 4, "careful"),
        ("categories.yaml", "categories:\n  hate:\n    about: x\n    level: 5\n...\n", 4, "5"),
        ("categories.yaml", "categories:\n  hate:\n    about: x\n    surfaces: {author: hold}\n...\n", 4, "hold"),
        ("categories.yaml", "categories:\n  sad:\n    about: x\n    crisis: true\n    input: drop\n...\n", 5, "answer"),
    ],
)
def test_a_wrong_entry_names_its_file_and_line(folder: Path, name: str, text: str, line: int, what: str) -> None:
    (folder / name).write_text(text)
    error = complaint(folder)
    assert error.code == "rules_invalid"
    assert f"{name}, line {line}:" in error.message
    assert what in error.message


def test_binary_rubbish_closes_the_gate(folder: Path) -> None:
    (folder / "allow.yaml").write_bytes(b"\xff\xfe\x00\x01" * 100)
    assert complaint(folder).code == "rules_invalid"


def test_every_category_has_rules_and_all_rules_have_names(folder: Path) -> None:
    rules = load_rules(folder, family_mode=True)
    names = [pattern.name for category in rules.categories for pattern in category.patterns]
    assert len(names) == len(set(names))
    assert all("/" in name for name in names)
    assert all(category.lexicons or category.patterns for category in rules.categories)


@pytest.mark.parametrize(
    ("level", "passing"), [(0, {"fuck", "damn"}), (1, {"fuck", "damn"}), (3, {"damn"}), (4, set())]
)
def test_levels_decide_what_counts(folder: Path, level: int, passing: set[str]) -> None:
    rules = load_rules(folder, family_mode=False, levels={"profanity": level})
    assert {text for text in ("fuck", "damn") if rules.find(text, "input") is None} == passing


def test_terms_can_be_added_without_touching_the_old_set(folder: Path) -> None:
    rules = load_rules(folder, family_mode=True)
    grown = rules.with_terms(["zorbly"], category="profanity").with_terms(["flumpen"], category="today")
    assert rules.find("zorbly flumpen", "input") is None
    for text, category in (("zorbly", "profanity"), ("flumpen", "today"), ("fuck", "profanity")):
        for stage in ("input", "output"):
            finding = grown.find(text, stage)  # type: ignore[arg-type]
            assert finding is not None
            assert finding.category == category


@pytest.mark.parametrize(
    ("family_mode", "chosen", "level"),
    [
        (True, {}, {"profanity": 3, "scams": 3, "minors": 3}),
        (True, {"profanity": 0, "scams": 4, "minors": 0}, {"profanity": 3, "scams": 4, "minors": 3}),
        (False, {}, {"profanity": 0, "scams": 3, "minors": 3}),
        (
            False,
            {"profanity": 2, "scams": 0, "minors": 0, "hate": 0},
            {"profanity": 2, "scams": 0, "minors": 3, "hate": 1},
        ),
    ],
)
def test_how_strict_a_category_is(
    folder: Path, family_mode: bool, chosen: dict[str, int], level: dict[str, int]
) -> None:
    book = load_rulebook(folder, family_mode=family_mode, levels=chosen)
    assert {name: book.levels[name] for name in level} == level
    assert {category.name for category in book.rules.categories} == {name for name, on in book.levels.items() if on}


def test_a_level_for_no_category_is_a_wrong_setting(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"safety\.levels: there is no category 'nonsense'"):
        load_rulebook(folder, family_mode=True, levels={"nonsense": 2})
