"""Rule files: `categories.yaml`, `allow.yaml`, `definitions.yaml`, `patterns.*.yaml` and `lexicon.<language>.yaml`.

All or nothing: a set with anything missing or wrong is not a set.
"""

import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import re2

from kitsu.datafiles import DataFileError, line_of, read_yaml
from kitsu.errors import ConfigError, GateError
from kitsu.protocol.approved import SurfaceName
from kitsu.safety.actions import FAMILY_LEVEL, Action, Actions, Level, OutputAction, Treatment
from kitsu.safety.lexicon import Innocent, Lexicon, Term, Tongue
from kitsu.safety.mending import Mender
from kitsu.safety.patterns import AS_READ, CheckName, Pattern, ViewName, checked
from kitsu.safety.rules import BOTH, Category, RuleSet, Stage

_GAP = re.compile(r"(?<!\\)\.\{")
_SOURCE_WORD = re.compile(r"(?<![\\\w])([a-z]{4,})(\??)")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of what the files hold."""


class _Category(_File, frozen=True):
    about: str
    stages: frozenset[Stage] = BOTH  # where its rules count, unless they say otherwise
    counts_from: Level = 2  # the level of strictness from which its rules count, unless they say otherwise
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


STRICTEST: Level = 4
TERMS_AT_ONCE = 20
"""In one lexicon: it is compiled at the first text in which one of them may be, and that must not be felt."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Everything that the files say."""

    rules: RuleSet
    actions: Actions
    levels: Mapping[str, int]  # category -> how strict it is now: 0 off … 4 strictest
    milder: RuleSet = field(default_factory=lambda: RuleSet(()))  # what counts one level higher; compiled when asked


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
        raise _refused(error) from None


def category_names(folder: Path) -> tuple[str, ...]:
    """The categories of the rules in `folder`, without compiling any. Raises GateError like `load_rulebook`."""
    try:
        return tuple(_categories(folder / "categories.yaml"))
    except DataFileError as error:
        raise _refused(error) from None


def _refused(error: DataFileError) -> GateError:
    return GateError("rules_missing" if error.missing else "rules_invalid", f"{error}.")


def _load(folder: Path, family_mode: bool, chosen: Mapping[str, int]) -> Rulebook:
    categories = _categories(folder / "categories.yaml")
    levels = _levels(categories, family_mode, chosen)
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
    vocabulary = _vocabulary(patterns, terms)
    mender = Mender(vocabulary, map(bytes.decode, innocent.common), definitions.wording, definitions.misspelt)

    def counting(allows: Callable[[int, int], bool]) -> tuple[Category, ...]:
        return tuple(
            _category(name, known, terms[name], patterns[name], innocent, partial(allows, levels[name]))
            for name, known in categories.items()
            if levels[name]
        )

    rules = RuleSet(counting(operator.ge), innocent, mender).ready()
    milder = RuleSet(counting(lambda level, at: at == level + 1), innocent, mender)
    re2.purge()  # it keeps what was only checked
    return Rulebook(rules, Actions({name: known.treatment for name, known in categories.items()}), levels, milder)


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


def _vocabulary(patterns: Mapping[str, list[Pattern]], terms: Mapping[str, list[Term]]) -> set[str]:
    """The words that rules are made of, so that they are known also when misspelt or glued together."""
    sources = (pattern.regexp for found in patterns.values() for pattern in found)
    phrases = (term.text.split() for found in terms.values() for term in found)
    return {
        *(word for source in sources for word in _words_of(source)),
        *(word for phrase in phrases if len(phrase) > 1 for word in phrase),
    }


def _category(
    name: str,
    known: _Category,
    terms: list[Term],
    patterns: list[Pattern],
    innocent: Innocent,
    counts: Callable[[int], bool],
) -> Category:
    """What counts at these levels."""
    counting: dict[int, list[Term]] = defaultdict(list)
    for term in sorted(terms, key=lambda term: term.part):  # those that need two patterns together
        if counts(term.level):
            counting[term.level].append(term)
    lexicons = (
        Lexicon(counting[at][start : start + TERMS_AT_ONCE], innocent)
        for at in sorted(counting)
        for start in range(0, len(counting[at]), TERMS_AT_ONCE)
    )
    return Category(
        name, known.stages, tuple(lexicons), tuple(pattern for pattern in patterns if counts(pattern.level))
    )


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
    unless = checked(_filled(entry.unless, define)) if entry.unless else ""
    pattern = checked(_bytewise(_filled(entry.pattern, define)))
    return Pattern(
        entry.name,
        entry.views,
        pattern,
        unless,
        entry.check,
        entry.level or category.counts_from,
        entry.stages or category.stages,
    )


def _bytewise(pattern: str) -> str:
    """`pattern` with gaps (`.{0,40}`) that count bytes: one state each instead of UTF-8's seven, in every automaton."""
    return _GAP.sub(r"\\C{", pattern)


def _words_of(source: str) -> Iterator[str]:
    """The words in a pattern's source, with and without a last letter that may be missing."""
    for word, optional in _SOURCE_WORD.findall(source):
        yield from (word[:-1], word) if optional else (word,)
