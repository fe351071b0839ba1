"""The operator's own words: what they block and what they allow, in one file that people may edit too.

blocked:
  - {term: zorbly}
  - {term: flumpen, category: profanity}
allowed:
  - captain zorbly
...
"""

import os
import secrets
from collections.abc import Collection
from pathlib import Path

import msgspec
import yaml

from kitsu.datafiles import END, DataFileError, line_of, read_yaml
from kitsu.errors import GateError
from kitsu.safety.lexicon import Term
from kitsu.safety.rules import RuleSet
from kitsu.safety.views import folded

BLOCKED = "blocked"
"""The category of terms that name none."""
MAX_CODE_POINTS = 120
MAX_ENTRIES = 2000
_HEAD = "# Words of your own: `kitsu safety block`, `allow` and `list`. The line of dots ends the file.\n"


class OwnTerm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A word or phrase that is blocked."""

    term: str
    category: str = BLOCKED

    @property
    def folded(self) -> bytes:
        """As lexicons keep it."""
        return folded(self.term).encode()


class OwnList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of them. Changing it makes a new one."""

    blocked: tuple[OwnTerm, ...] = ()
    allowed: tuple[str, ...] = ()

    def blocking(self, term: str, category: str = BLOCKED) -> "OwnList":
        """With one more term.

        Raises:
            GateError: `bad_term` when it is too short, too long, or one too many.
        """
        _check(term, len(self.blocked))
        _check_letters(term)
        own = self.unblocking(term).disallowing(term)
        return msgspec.structs.replace(own, blocked=(*own.blocked, OwnTerm(term, category)))

    def check(self) -> None:
        """That each term could be blocked.

        Raises:
            GateError: `bad_term`.
        """
        for place, known in enumerate(self.blocked):
            _check(known.term, place)
            _check_letters(known.term)

    def unblocking(self, term: str) -> "OwnList":
        """Without a term."""
        left = tuple(known for known in self.blocked if known.term.casefold() != term.casefold())
        return msgspec.structs.replace(self, blocked=left)

    def allowing(self, phrase: str) -> "OwnList":
        """With one more phrase that nothing is held against.

        Raises:
            GateError: `bad_term` when it is empty, too long, or one too many.
        """
        _check(phrase, len(self.allowed))
        if not any(map(str.isalnum, phrase)):
            raise GateError("bad_term", "There is no word in it.")
        own = self.disallowing(phrase).unblocking(phrase)
        return msgspec.structs.replace(own, allowed=(*own.allowed, phrase))

    def disallowing(self, phrase: str) -> "OwnList":
        """Without an allowed phrase."""
        left = tuple(known for known in self.allowed if known.casefold() != phrase.casefold())
        return msgspec.structs.replace(self, allowed=left)

    def applied_to(self, rules: RuleSet) -> RuleSet:
        """The rules with these on top."""
        by_category: dict[str, list[str]] = {}
        for known in self.blocked:
            by_category.setdefault(known.category, []).append(known.term)
        if self.allowed:
            rules = rules.with_allowed(self.allowed)
        for category, terms in by_category.items():
            rules = rules.with_terms(terms, category=category)
        return rules


def check_category(category: str, known: Collection[str]) -> None:
    """That words can be blocked in it: one of categories.yaml, or the operator's own.

    Raises:
        GateError: `no_such_category`.
    """
    if category != BLOCKED and category not in known:
        allowed = ", ".join(sorted((*known, BLOCKED)))
        raise GateError("no_such_category", f"There is no category {category[:40]!r}. Allowed: {allowed}.")


def read_own(path: Path) -> OwnList:
    """The list in the file; an empty one where there is no file.

    Raises:
        GateError: `rules_invalid`, naming file and line.
    """
    try:
        own = read_yaml(path, OwnList)
        _check_terms(own, path)
    except DataFileError as error:
        if error.missing:
            return OwnList()
        raise GateError("rules_invalid", f"{error}.") from None
    return own


def write_own(path: Path, own: OwnList) -> None:
    """Replace the file in one step.

    Raises:
        OSError: the disk is full or not writable.
    """
    text = yaml.safe_dump(msgspec.to_builtins(own), allow_unicode=True, sort_keys=False, width=200)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            file.write(f"{_HEAD}{text}{END}\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _check(text: str, count: int) -> None:
    if count >= MAX_ENTRIES:
        raise GateError("bad_term", f"There are {count} of them already; that is the most.")
    if len(text) > MAX_CODE_POINTS or not text.isprintable():
        raise GateError("bad_term", f"It must be one line of at most {MAX_CODE_POINTS} characters.")


def _check_letters(term: str) -> None:
    try:
        Term.of(term)
    except ValueError as error:
        raise GateError("bad_term", f"That cannot be blocked: {error}.") from None


def _check_terms(own: OwnList, path: Path) -> None:
    for index, known in enumerate(own.blocked):
        try:
            Term.of(known.term)
        except ValueError as error:
            raise DataFileError(path, line_of(path, "blocked", index), str(error)) from None
