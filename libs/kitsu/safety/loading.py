"""Rule files: `categories.yaml`, `allow.yaml`, `patterns.yaml` and one `lexicon.<language>.yaml` a language.

All or nothing: a set with anything missing or wrong is not a set.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import re2

from kitsu.datafiles import DataFileError, line_of, read_yaml
from kitsu.errors import GateError
from kitsu.safety.lexicon import Innocent, Lexicon, Term, Tongue
from kitsu.safety.patterns import AS_READ, CheckName, Pattern, ViewName, compiled
from kitsu.safety.rules import Category, RuleSet, Stage

_SOURCE_WORD = re.compile(r"(?<![\\\w])([a-z]{4,})(\??)")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what the files hold."""


class _Category(_File, frozen=True):
    about: str
    stages: frozenset[Stage]
    counts_from: int = 2  # the level of strictness from which its rules count, where they say nothing else
    family_only: bool = False  # counts only in family mode


class _Categories(_File, frozen=True):
    categories: dict[str, _Category]


class _Tongue(_File, frozen=True):
    language: str
    hints: tuple[str, ...]
    words: tuple[str, ...]


class _Allow(_File, frozen=True):
    allowed: tuple[str, ...]
    common: tuple[str, ...]
    tongues: tuple[_Tongue, ...] = ()


class _Terms(_File, frozen=True):
    words: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    mild: tuple[str, ...] = ()  # whole words that count only on the strictest level


class _Lexicon(_File, frozen=True):
    terms: dict[str, _Terms]


class _Pattern(_File, frozen=True):
    name: str
    category: str
    pattern: str
    views: frozenset[ViewName] = AS_READ
    unless: str = ""
    check: CheckName = ""
    level: int = 0  # 0: the category's


class _Patterns(_File, frozen=True):
    define: dict[str, str]  # `<name>` in a pattern, or in a later definition, stands for the text here
    patterns: tuple[_Pattern, ...]


STRICTEST = 4
DEFAULT_LEVEL = 3


def load_rules(folder: Path, *, family_mode: bool, levels: Mapping[str, int] | None = None) -> RuleSet:
    """The rules in `folder`, compiled. `levels`: strictness by category, 0 (off) to 4; 3 where it says nothing.

    Raises:
        GateError: `rules_missing` or `rules_invalid`, naming file and line.
    """
    try:
        return _load(folder, family_mode, levels or {})
    except DataFileError as error:
        code = "rules_missing" if error.missing else "rules_invalid"
        raise GateError(code, f"{error}. Without its rules the gate stays closed and she says nothing.") from None


def _load(folder: Path, family_mode: bool, levels: Mapping[str, int]) -> RuleSet:
    categories = read_yaml(folder / "categories.yaml", _Categories).categories
    innocent = _innocent(folder / "allow.yaml")
    terms: dict[str, list[Term]] = defaultdict(list)
    for path in _lexicon_files(folder):
        for name, found in _terms(path, categories, innocent).items():
            terms[name] += found
    patterns, vocabulary = _patterns(folder / "patterns.yaml", categories)
    active = {name: known for name, known in categories.items() if family_mode or not known.family_only}
    return RuleSet(
        tuple(
            _category(name, known, terms[name], patterns[name], innocent, levels.get(name, DEFAULT_LEVEL))
            for name, known in active.items()
        ),
        innocent,
        vocabulary | {word for found in terms.values() for term in found for word in term.text.split()[1:]},
    ).ready()


def _category(
    name: str, known: _Category, terms: list[Term], patterns: list[Pattern], innocent: Innocent, level: int
) -> Category:
    """What counts at this level."""
    counting: dict[int, list[Term]] = defaultdict(list)
    for term in terms:
        if term.level <= level:
            counting[term.level].append(term)
    lexicons = tuple(Lexicon(counting[at], innocent) for at in sorted(counting))
    return Category(name, known.stages, lexicons, tuple(pattern for pattern in patterns if pattern.level <= level))


def _innocent(path: Path) -> Innocent:
    allow = read_yaml(path, _Allow)
    tongues = (Tongue.of(tongue.hints, tongue.words) for tongue in allow.tongues)
    return Innocent.of(allow.allowed, allow.common, tongues)


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
    return {name: _folded(path, name, entries, innocent, categories[name]) for name, entries in read.items()}


def _folded(path: Path, category: str, entries: _Terms, innocent: Innocent, known: _Category) -> list[Term]:
    terms = []
    kinds = (
        ("words", entries.words, known.counts_from),
        ("parts", entries.parts, known.counts_from),
        ("mild", entries.mild, STRICTEST),
    )
    for kind, words, level in kinds:
        for index, word in enumerate(words):
            try:
                term = Term.of(word, part=kind == "parts", level=level)
            except ValueError as error:
                raise DataFileError(path, line_of(path, "terms", category, kind, index), str(error)) from None
            if term.text.encode() in innocent.common:
                line = line_of(path, "terms", category, kind, index)
                raise DataFileError(path, line, f"{word!r} is a common word in allow.yaml; it can't be both")
            terms.append(term)
    return terms


def _patterns(path: Path, categories: dict[str, _Category]) -> tuple[dict[str, list[Pattern]], frozenset[str]]:
    """The patterns by category, and the words in them."""
    read = read_yaml(path, _Patterns)
    define = _defined(read.define)
    found: dict[str, list[Pattern]] = defaultdict(list)
    for index, entry in enumerate(read.patterns):
        if entry.category not in categories:
            line = line_of(path, "patterns", index, "category")
            raise DataFileError(path, line, f"there is no category {entry.category!r}")
        try:
            found[entry.category].append(_compiled(entry, define, categories[entry.category].counts_from))
        except re2.error as error:
            line = line_of(path, "patterns", index, "pattern")
            raise DataFileError(path, line, f"{entry.name}: not an RE2 pattern ({error})") from None
    sources = (pattern.regexp.pattern for patterns in found.values() for pattern in patterns)
    return found, frozenset(word for source in sources for word in _words_of(source))


def _defined(define: dict[str, str]) -> dict[str, str]:
    """Each definition with those before it filled in."""
    ready: dict[str, str] = {}
    for name, text in define.items():
        ready[name] = _filled(text, ready)
    return ready


def _filled(text: str, define: Mapping[str, str]) -> str:
    for name, meant in define.items():
        text = text.replace(f"<{name}>", meant)
    return text


def _compiled(entry: _Pattern, define: Mapping[str, str], counts_from: int) -> Pattern:
    unless = compiled(_filled(entry.unless, define)) if entry.unless else None
    pattern = compiled(_filled(entry.pattern, define))
    return Pattern(entry.name, entry.views, pattern, unless, entry.check, entry.level or counts_from)


def _words_of(source: str) -> Iterator[str]:
    """The words in a pattern's source, with and without a last letter that may be missing."""
    for word, optional in _SOURCE_WORD.findall(source):
        yield from (word[:-1], word) if optional else (word,)
