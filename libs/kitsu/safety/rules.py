"""The rules, compiled."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from kitsu.safety import views
from kitsu.safety.lexicon import Innocent, Lexicon, Term
from kitsu.safety.patterns import Pattern

Stage = Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found."""

    rule: str  # a pattern's name, or "category/term-…": rules go to logs and pages, terms must not
    category: str
    view: str
    start: int  # code points of the judged text, end excluded
    end: int
    level: int = 1  # the rule counts from this level of its category on: 1 the worst … 4 mild


@dataclass(frozen=True, slots=True)
class Category:
    """All rules against one kind of text."""

    name: str
    stages: frozenset[Stage]
    lexicon: Lexicon | None = None
    patterns: tuple[Pattern, ...] = ()

    def find(self, skeletons: Iterable[views.View], others: Iterable[views.View]) -> Finding | None:
        """The first finding in a text's views."""
        for view in skeletons:
            if self.lexicon and (found := self.lexicon.find(view)):
                name, start, end = found
                return Finding(f"{self.name}/{_term_id(name)}", self.name, view.name, *view.span(start, end))
        for view in others:
            for pattern in self.patterns:
                if where := pattern.find(view):
                    return Finding(pattern.name, self.name, view.name, *view.span(*where))
        return None


def _term_id(term: str) -> str:
    """A name for a term that stays the same but does not say it."""
    return f"term-{hashlib.blake2b(term.encode(), digest_size=3).hexdigest()}" if term else "disguised"


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Every category. Immutable: a changed set is a new one."""

    categories: tuple[Category, ...]
    innocent: Innocent = field(default_factory=Innocent)

    def find(self, text: str, stage: Stage) -> Finding | None:
        """The first finding that counts at this stage."""
        plain = views.plain(text)
        skeleton = views.skeleton(plain)
        skeletons = tuple(filter(None, (skeleton, views.bare(skeleton))))
        others = tuple(filter(None, (plain, views.heard(plain))))
        counting = (category for category in self.categories if stage in category.stages)
        return next(filter(None, (category.find(skeletons, others) for category in counting)), None)

    def with_terms(self, words: Iterable[str], *, category: str = "blocked") -> "RuleSet":
        """A set that also blocks these words, at both stages; a category that is new is made.

        Raises:
            ValueError: a word has fewer than three letters.
        """
        new = tuple(Term.of(word) for word in words)
        if not new:
            return self
        old = next((known for known in self.categories if known.name == category), None)
        base = old or Category(category, frozenset({"input", "output"}))
        terms = (*(base.lexicon.terms if base.lexicon else ()), *new)
        grown = replace(base, lexicon=Lexicon(terms, self.innocent), stages=frozenset({"input", "output"}))
        rest = tuple(known for known in self.categories if known is not old)
        return replace(self, categories=(grown, *rest))

    def with_allowed(self, phrases: Iterable[str]) -> "RuleSet":
        """A set that holds nothing against these words and phrases."""
        more = Innocent.of(phrases, ())
        if not (more.words or more.phrases):
            return self
        known = self.innocent
        innocent = replace(known, words=known.words | more.words, phrases=(*known.phrases, *more.phrases))
        categories = (
            replace(category, lexicon=Lexicon(category.lexicon.terms, innocent)) if category.lexicon else category
            for category in self.categories
        )
        return replace(self, categories=tuple(categories), innocent=innocent)
