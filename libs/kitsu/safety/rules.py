"""The rules, compiled."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from kitsu.safety import views
from kitsu.safety.disguises import disguised
from kitsu.safety.lexicon import Innocent, Lexicon, Term
from kitsu.safety.mending import Mender
from kitsu.safety.patterns import Pattern, ViewName
from kitsu.safety.sieve import Sieve
from kitsu.safety.views import View
from kitsu.safety.wordplay import ROT13

Stage = Literal["input", "output"]
ORDERS_AT_ONCE = 25_000  # characters of patterns in one automaton of a sieve
BOTH: frozenset[Stage] = frozenset({"input", "output"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found."""

    rule: str  # a pattern's name, or "category/term-…": rules go to logs and pages, terms must not
    category: str
    view: str
    start: int  # code points of the judged text, end excluded
    end: int
    level: int = 1  # of strictness, from which the rule counts


@dataclass(frozen=True, slots=True)
class Category:
    """All rules against one kind of text."""

    name: str
    stages: frozenset[Stage]
    lexicons: tuple[Lexicon, ...] = ()
    patterns: tuple[Pattern, ...] = ()


class Layer:
    """Categories whose rules are read in one pass."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self.categories = tuple(categories)
        self._words = [(known, lexicon) for known in self.categories for lexicon in known.lexicons]
        self._orders = [(known, pattern) for known in self.categories for pattern in known.patterns]
        ways = [(place, way) for place, (_, lexicon) in enumerate(self._words) for way in lexicon.patterns]
        self._lexicon_of = [place for place, _ in ways]
        self._word_sieve = Sieve((way for _, way in ways), latin1=True)
        self._order_sieve = Sieve((pattern.hint for _, pattern in self._orders), at_once=ORDERS_AT_ONCE)

    def find(
        self, read: Iterable[View], spelled: Iterable[View], stage: Stage, beyond: Collection[str] = ()
    ) -> Finding | None:
        """The first finding, in the order of categories; `read`: what patterns look at, `spelled`: what lexicons do."""
        every = (*self._in_words(spelled, stage), *self._in_orders(read, stage))
        found = [finding for finding in every if finding.category not in beyond]
        order = {known.name: place for place, known in enumerate(self.categories)}
        return min(found, key=lambda finding: order[finding.category], default=None)

    def _in_words(self, spelled: Iterable[View], stage: Stage) -> Iterator[Finding]:
        for view in spelled:
            for place in sorted({self._lexicon_of[way] for way in self._word_sieve.hits(view.data)}):
                category, lexicon = self._words[place]
                if stage in category.stages and (found := lexicon.find(view)):
                    name, start, end = found
                    rule = f"{category.name}/{_term_id(name)}"
                    yield Finding(rule, category.name, view.name, *view.span(start, end), lexicon.level)

    def _in_orders(self, read: Iterable[View], stage: Stage) -> Iterator[Finding]:
        for view in read:
            way: ViewName = view.name if view.name in ("heard", "mended") else "plain"  # type: ignore[assignment]
            for place in self._order_sieve.hits(view.data):
                category, pattern = self._orders[place]
                if stage in pattern.stages and way in pattern.views and (where := pattern.find(view)):
                    yield Finding(pattern.name, category.name, view.name, *view.span(*where), pattern.level)


@dataclass(frozen=True)
class RuleSet:
    """Every category. Immutable: a changed set is a new one."""

    categories: tuple[Category, ...]
    innocent: Innocent = field(default_factory=Innocent)
    mender: Mender = field(default_factory=Mender)
    added: tuple[Category, ...] = ()  # what the operator put in; a layer of its own, so that adding is quick
    allowed: tuple[bytes, ...] = ()  # what the operator wants to hear no complaint about, as skeletons

    def ready(self) -> "RuleSet":
        """Itself, with everything compiled that would otherwise be at the first text."""
        self.find("", "input")
        return self

    def find(self, text: str, stage: Stage, beyond: Collection[str] = ()) -> Finding | None:
        """The first finding that counts at this stage; `beyond`: categories to look past."""
        if self.allowed:
            text = self._without_allowed(text)
        return next(filter(None, (self._look(view, stage, beyond) for view in self._readings(text))), None)

    def with_terms(self, words: Iterable[str], *, category: str = "blocked") -> "RuleSet":
        """A set that also blocks these words, at both stages.

        Raises:
            ValueError: a word has fewer than three letters.
        """
        new = tuple(Term.of(word) for word in words)
        if not new:
            return self
        same = next((known for known in self.added if known.name == category), None)
        terms = (*(same.lexicons[0].terms if same else ()), *new)
        rest = tuple(known for known in self.added if known is not same)
        grown = Category(category, BOTH, (Lexicon(terms, self.innocent),))
        return self._changed(added=(grown, *rest))

    def with_allowed(self, phrases: Iterable[str]) -> "RuleSet":
        """A set that looks past these words and phrases, whatever rule complains."""
        new = (views.folded(phrase).encode() for phrase in phrases)
        return self._changed(allowed=(*self.allowed, *filter(None, new)))

    def _changed(self, **changes: Any) -> "RuleSet":
        """A copy that keeps what is compiled and still true."""
        changed = replace(self, **changes)
        kept = ("_layer",) if "added" in changes else ("_layer", "_added_layer", "_known")
        changed.__dict__.update({name: self.__dict__[name] for name in kept if name in self.__dict__})
        return changed

    def _without_allowed(self, text: str) -> str:
        """`text` of the same length, with commas in place of what is allowed."""
        letters = views.skeleton(views.plain(text))
        for phrase in self.allowed:
            for found in re.finditer(rb"(?<![^ ])" + re.escape(phrase) + rb"(?![^ ])", letters.data):
                start, end = letters.span(*found.span())
                text = text[:start] + "," * (end - start) + text[end:]
        return text

    def _readings(self, text: str) -> Iterator[View]:
        yield views.plain(text)
        yield from disguised(text, self._known)

    def _look(self, plain: View, stage: Stage, beyond: Collection[str]) -> Finding | None:
        mended = self.mender.mend(plain)
        read = tuple(filter(None, (plain, views.heard(plain), mended)))
        letters = views.skeleton(plain, plain.name if plain.name != "plain" else "skeleton")
        unleet = self.mender.unleet(plain)
        others = (views.bare(letters), views.masked(plain), unleet and views.skeleton(unleet, "unleet"))
        spelled = (letters, *filter(None, others))
        return next(filter(None, (layer.find(read, spelled, stage, beyond) for layer in self._layers)), None)

    @property
    def _layers(self) -> tuple[Layer, ...]:
        return (self._layer, self._added_layer) if self.added else (self._layer,)

    @cached_property
    def _layer(self) -> Layer:
        return Layer(self.categories)

    @cached_property
    def _added_layer(self) -> Layer:
        return Layer(self.added)

    @cached_property
    def _known(self) -> Collection[str]:
        """Words that give a hidden text away: those of the rules, unless they are other words when turned."""
        lexicons = (lexicon for known in (*self.categories, *self.added) for lexicon in known.lexicons)
        words = {word for lexicon in lexicons for term in lexicon.terms for word in term.text.split()}
        innocent = self.innocent.words | self.innocent.common
        return {
            word
            for word in words | self.mender.vocabulary
            if innocent.isdisjoint((word[::-1].encode(), b"s" + word[::-1].encode(), word.translate(ROT13).encode()))
        }


def _term_id(term: str) -> str:
    """A name for a term that stays the same but does not say it."""
    return f"term-{hashlib.blake2b(term.encode(), digest_size=3).hexdigest()}" if term else "disguised"
