"""Rule files: `categories.yaml`, `allow.yaml`, `patterns.yaml` and one `lexicon.<language>.yaml` a language.

All or nothing: a set with anything missing or wrong is not a set.
"""

from collections import defaultdict
from pathlib import Path

import msgspec
import re2

from kitsu.datafiles import DataFileError, line_of, read_yaml
from kitsu.errors import GateError
from kitsu.safety.lexicon import Innocent, Lexicon, Term
from kitsu.safety.patterns import CheckName, Pattern, ViewName, compiled
from kitsu.safety.rules import Category, RuleSet, Stage


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what the files hold."""


class _Category(_File, frozen=True):
    about: str
    stages: frozenset[Stage]
    family_only: bool = False  # counts only in family mode


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


def load_rules(folder: Path, *, family_mode: bool) -> RuleSet:
    """The rules in `folder`, compiled.

    Raises:
        GateError: `rules_missing` or `rules_invalid`, naming file and line.
    """
    try:
        return _load(folder, family_mode)
    except DataFileError as error:
        code = "rules_missing" if error.missing else "rules_invalid"
        raise GateError(code, f"{error}. Without its rules the gate stays closed and she says nothing.") from None


def _load(folder: Path, family_mode: bool) -> RuleSet:
    categories = read_yaml(folder / "categories.yaml", _Categories).categories
    innocent = _innocent(folder / "allow.yaml")
    terms: dict[str, list[Term]] = defaultdict(list)
    for path in _lexicon_files(folder):
        for name, found in _terms(path, categories, innocent).items():
            terms[name] += found
    patterns = _patterns(folder / "patterns.yaml", categories)
    active = {name: known for name, known in categories.items() if family_mode or not known.family_only}
    return RuleSet(
        tuple(
            Category(
                name,
                known.stages,
                Lexicon(terms[name], innocent) if terms[name] else None,
                tuple(patterns[name]),
            )
            for name, known in active.items()
        ),
        innocent,
    )


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
