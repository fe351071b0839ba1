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
from kitsu.safety.mending import Mender
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
    stages: frozenset[Stage] = frozenset()  # none: the category's


class _Definitions(_File, frozen=True):
    wording: dict[str, str]  # how people type, and what they mean
    misspelt: tuple[str, ...]  # words that are known also with one slip in them
    define: dict[str, str]  # `<name>` in a pattern, or in a later definition, stands for the text here


class _Patterns(_File, frozen=True):
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
    for path in _files(folder, "lexicon"):
        for name, found in _terms(path, categories, innocent).items():
            terms[name] += found
    definitions = read_yaml(folder / "definitions.yaml", _Definitions)
    define = _defined(definitions.define)
    patterns: dict[str, list[Pattern]] = defaultdict(list)
    for path in _files(folder, "patterns"):
        for name, pattern in _patterns(path, categories, define):
            patterns[name].append(pattern)
    active = {name: known for name, known in categories.items() if family_mode or not known.family_only}
    return RuleSet(
        tuple(
            _category(name, known, terms[name], patterns[name], innocent, levels.get(name, DEFAULT_LEVEL))
            for name, known in active.items()
        ),
        innocent,
        Mender(
            _vocabulary(patterns, terms), map(bytes.decode, innocent.common), definitions.wording, definitions.misspelt
        ),
    ).ready()


def _vocabulary(patterns: Mapping[str, list[Pattern]], terms: Mapping[str, list[Term]]) -> set[str]:
    """The words that rules are made of, so that they are known also when misspelt or glued together."""
    sources = (pattern.regexp.pattern for found in patterns.values() for pattern in found)
    phrases = (term.text.split() for found in terms.values() for term in found)
    return {
        *(word for source in sources for word in _words_of(source)),
        *(word for phrase in phrases if len(phrase) > 1 for word in phrase),
    }


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


def _files(folder: Path, kind: str) -> list[Path]:
    paths = sorted(folder.glob(f"{kind}.*.yaml"))
    if not paths:
        raise DataFileError(folder / f"{kind}.*.yaml", 0, "is not there", missing=True)
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


def _patterns(path: Path, categories: dict[str, _Category], define: Mapping[str, str]) -> Iterator[tuple[str, Pattern]]:
    """The patterns of a file, and the category of each."""
    for index, entry in enumerate(read_yaml(path, _Patterns).patterns):
        if entry.category not in categories:
            line = line_of(path, "patterns", index, "category")
            raise DataFileError(path, line, f"there is no category {entry.category!r}")
        try:
            yield entry.category, _compiled(entry, define, categories[entry.category])
        except re2.error as error:
            line = line_of(path, "patterns", index, "pattern")
            raise DataFileError(path, line, f"{entry.name}: not an RE2 pattern ({error})") from None


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


def _compiled(entry: _Pattern, define: Mapping[str, str], category: _Category) -> Pattern:
    unless = compiled(_filled(entry.unless, define)) if entry.unless else None
    pattern = compiled(_filled(entry.pattern, define))
    return Pattern(
        entry.name,
        entry.views,
        pattern,
        unless,
        entry.check,
        entry.level or category.counts_from,
        entry.stages or category.stages,
    )


def _words_of(source: str) -> Iterator[str]:
    """The words in a pattern's source, with and without a last letter that may be missing."""
    for word, optional in _SOURCE_WORD.findall(source):
        yield from (word[:-1], word) if optional else (word,)
