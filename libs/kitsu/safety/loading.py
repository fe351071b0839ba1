"""Rule files: `categories.yaml`, `allow.yaml`, `patterns.yaml` and one `lexicon.<language>.yaml` a language.

All or nothing: a set with anything missing or wrong is not a set.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import re2

from kitsu.datafiles import DataFileError, line_of, read_yaml
from kitsu.errors import ConfigError, GateError
from kitsu.protocol.approved import SurfaceName
from kitsu.safety.actions import FAMILY_LEVEL, Action, Actions, Level, OutputAction, Treatment
from kitsu.safety.lexicon import Innocent, Lexicon, Term
from kitsu.safety.patterns import CheckName, Pattern, ViewName, compiled
from kitsu.safety.rules import Category, RuleSet, Stage


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what the files hold."""


class _Category(_File, frozen=True):
    about: str
    input: Action = "drop"
    output: OutputAction = "replace"
    surfaces: dict[SurfaceName, OutputAction] = {}  # where the action differs from its stage's
    level: Level = FAMILY_LEVEL
    at_least: Level = 0  # no setting can make it weaker
    family_only: bool = False  # off outside family mode, unless safety.levels says otherwise
    crisis: bool = False

    @property
    def treatment(self) -> Treatment:
        return Treatment(self.input, self.output, self.surfaces, self.crisis)

    @property
    def stages(self) -> frozenset[Stage]:
        stages: tuple[Stage, ...] = ("input", "output")
        return frozenset(stage for stage in stages if self.treatment.counts_at(stage))


class _Categories(_File, frozen=True):
    categories: dict[str, _Category]


class _Allow(_File, frozen=True):
    allowed: tuple[str, ...]
    common: tuple[str, ...]


class _Terms(_File, frozen=True):
    words: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()


class _Lexicon(_File, frozen=True):
    terms: dict[str, _Terms]


class _Pattern(_File, frozen=True):
    name: str
    category: str
    pattern: str
    views: frozenset[ViewName] = frozenset({"plain"})
    unless: str = ""
    check: CheckName = ""


class _Patterns(_File, frozen=True):
    define: dict[str, str]  # `<name>` in a pattern stands for the text here
    patterns: tuple[_Pattern, ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that the files say."""

    rules: RuleSet
    actions: Actions
    levels: Mapping[str, int]  # category -> how strict it is now: 0 off … 4 strictest


def load_rules(folder: Path, *, family_mode: bool, levels: Mapping[str, int] | None = None) -> RuleSet:
    """The rules in `folder`, compiled. Raises like `load_rulebook`."""
    return load_rulebook(folder, family_mode=family_mode, levels=levels).rules


def load_rulebook(folder: Path, *, family_mode: bool, levels: Mapping[str, int] | None = None) -> Rulebook:
    """The rules in `folder`, compiled, and what is done with what they find. `levels`: the owner's own choices.

    Raises:
        GateError: `rules_missing` or `rules_invalid`, naming file and line.
        ConfigError: `bad_setting` when `levels` names a category that is not there.
    """
    try:
        return _load(folder, family_mode, levels or {})
    except DataFileError as error:
        code = "rules_missing" if error.missing else "rules_invalid"
        raise GateError(code, f"{error}.") from None


def _load(folder: Path, family_mode: bool, chosen: Mapping[str, int]) -> Rulebook:
    categories = _categories(folder / "categories.yaml")
    levels = _levels(categories, family_mode, chosen)
    innocent = _innocent(folder / "allow.yaml")
    terms: dict[str, list[Term]] = defaultdict(list)
    for path in _lexicon_files(folder):
        for name, found in _terms(path, categories, innocent).items():
            terms[name] += found
    patterns = _patterns(folder / "patterns.yaml", categories)
    rules = RuleSet(
        tuple(
            Category(
                name,
                known.stages,
                Lexicon(terms[name], innocent) if terms[name] else None,
                tuple(patterns[name]),
            )
            for name, known in categories.items()
            if levels[name]
        ),
        innocent,
    )
    return Rulebook(rules, Actions({name: known.treatment for name, known in categories.items()}), levels)


def _categories(path: Path) -> dict[str, _Category]:
    categories = read_yaml(path, _Categories).categories
    for name, known in categories.items():
        if known.crisis and known.input != "replace":
            line = line_of(path, "categories", name, "input")
            raise DataFileError(path, line, f"{name}: who may be at risk gets an answer; `input` must be `replace`")
    return categories


def _levels(categories: dict[str, _Category], family_mode: bool, chosen: Mapping[str, int]) -> dict[str, int]:
    """How strict each category is. Family mode makes none weaker than level 3, whatever was chosen."""
    for name in chosen:
        if name not in categories:
            known = ", ".join(sorted(categories))
            raise ConfigError("bad_setting", f"safety.levels: there is no category {name!r}. Allowed: {known}.")
    return {name: _level(known, family_mode, chosen.get(name)) for name, known in categories.items()}


def _level(category: _Category, family_mode: bool, chosen: int | None) -> int:
    usual = category.level if family_mode or not category.family_only else 0
    least = max(category.at_least, FAMILY_LEVEL) if family_mode else category.at_least
    return max(least, usual if chosen is None else chosen)


def _innocent(path: Path) -> Innocent:
    allow = read_yaml(path, _Allow)
    return Innocent.of(allow.allowed, allow.common)


def _lexicon_files(folder: Path) -> list[Path]:
    paths = sorted(folder.glob("lexicon.*.yaml"))
    if not paths:
        raise DataFileError(folder / "lexicon.en.yaml", 0, "is not there", missing=True)
    return paths


def _terms(path: Path, categories: dict[str, _Category], innocent: Innocent) -> dict[str, list[Term]]:
    read = read_yaml(path, _Lexicon).terms
    for name in read:
        if name not in categories:
            raise DataFileError(path, line_of(path, "terms", name), f"there is no category {name!r}")
    return {name: _folded(path, name, entries, innocent) for name, entries in read.items()}


def _folded(path: Path, category: str, entries: _Terms, innocent: Innocent) -> list[Term]:
    terms = []
    for kind, words in (("words", entries.words), ("parts", entries.parts)):
        for index, word in enumerate(words):
            try:
                term = Term.of(word, part=kind == "parts")
            except ValueError as error:
                raise DataFileError(path, line_of(path, "terms", category, kind, index), str(error)) from None
            if term.text.encode() in innocent.common:
                line = line_of(path, "terms", category, kind, index)
                raise DataFileError(path, line, f"{word!r} is a common word in allow.yaml; it can't be both")
            terms.append(term)
    return terms


def _patterns(path: Path, categories: dict[str, _Category]) -> dict[str, list[Pattern]]:
    read = read_yaml(path, _Patterns)
    found: dict[str, list[Pattern]] = defaultdict(list)
    for index, entry in enumerate(read.patterns):
        if entry.category not in categories:
            line = line_of(path, "patterns", index, "category")
            raise DataFileError(path, line, f"there is no category {entry.category!r}")
        try:
            found[entry.category].append(_compiled(entry, read.define))
        except re2.error as error:
            line = line_of(path, "patterns", index, "pattern")
            raise DataFileError(path, line, f"{entry.name}: not an RE2 pattern ({error})") from None
    return found


def _compiled(entry: _Pattern, define: dict[str, str]) -> Pattern:
    def filled(pattern: str) -> str:
        for name, text in define.items():
            pattern = pattern.replace(f"<{name}>", text)
        return pattern

    unless = compiled(filled(entry.unless)) if entry.unless else None
    return Pattern(entry.name, entry.views, compiled(filled(entry.pattern)), unless, entry.check)
