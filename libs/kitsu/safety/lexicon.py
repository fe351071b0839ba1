"""Words and phrases of one category, found in a skeleton however they are spaced, stretched or spelled with signs.

A term is compiled letter by letter: each letter also in its common stand-ins (`4` or `@` for a), at least as often as
in the term (`fuuu…`), with gaps between letters (`z o r b l y`, `zor-bly`) as long as whole words begin and end it.
A `part` is also found inside a longer word, then without gaps. RE2 reads all terms at once, in linear time.
"""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import re2

from kitsu.safety.views import LETTER_SYMBOLS, View, folded

_STAND_INS = {
    "a": "a4@", "b": "b8", "e": "e3", "g": "g96q", "i": "i1!|l", "l": "l1|!i", "o": "o0", "s": "s5$z", "t": "t7+",
    "u": "uv", "z": "z2s",
}  # fmt: skip
_HARD_C, _HARD_K = "\0", "\1"  # the letters of `ck` while a pattern is made
_SPELLINGS = {"f": rb"(?:f|ph)", _HARD_C: rb"[ckqx]", _HARD_K: rb"[kcqx]"}
"""Letters that are spoken alike."""
_NO_LETTERS = bytes(byte for byte in range(0x80) if not chr(byte).isalpha())
_MASKS_OR_DIGITS = re.compile(rb"[*0-9]")
_SIGNS = "".join(LETTER_SYMBOLS)
_CANONICAL = str.maketrans("4@8396q!|1l05$z7+2vkx", "aabegggiiiiosssttsucc")
"""Stand-ins to one letter each; letters that share one become one."""

_GAP = rb" ?"
_EDGE = rb"[^a-z\x80-\xff]"
_LETTERS_BEFORE = re.compile(rb"[a-z\x80-\xff]*\Z")
_LETTERS = re.compile(rb"[a-z\x80-\xff]*")
_REPEAT = re.compile(r"(.)\1+")
_HISSING = ("s", "x", "z", "h")  # their plural takes an e
_MIN_LETTERS = 3
_HAN = re.compile("[\u3400-\u9fff]")
"""Characters of scripts that put no gaps between words, and say a word in one or two of them."""
_LONGEST_ALLOWED = 64  # bytes around a find in which an allowed word or phrase is looked for


@dataclass(frozen=True, slots=True)
class Term:
    """One entry of a lexicon, folded."""

    text: str
    part: bool = False  # also found inside longer words
    level: int = 1  # of strictness, from which it counts

    @classmethod
    def of(cls, text: str, *, part: bool = False, level: int = 1) -> "Term":
        """Fold an entry.

        Raises:
            ValueError: fewer than three letters (two with Chinese ones) remain; a shorter term is found everywhere.
        """
        letters = folded(text)
        han = bool(_HAN.search(letters))
        term = cls(letters, part or han, level)
        if sum(map(str.isalpha, letters)) < _MIN_LETTERS - han:
            raise ValueError(f"{text!r} has fewer than {_MIN_LETTERS} letters")
        return term


@dataclass(frozen=True, slots=True)
class Tongue:
    """A language in which some words are harmless that are bad in another."""

    hints: frozenset[bytes]  # its little words, by which it is known
    words: frozenset[bytes]

    @classmethod
    def of(cls, hints: Iterable[str], words: Iterable[str]) -> "Tongue":
        """Fold the lists."""
        return cls(*(frozenset(folded(entry).encode() for entry in entries) for entries in (hints, words)))

    def spoken_in(self, data: bytes) -> bool:
        """Whether a skeleton is in this language, as far as a glance can tell."""
        return not self.hints.isdisjoint(data.split())


@dataclass(frozen=True, slots=True)
class Innocent:
    """What is never held against anyone."""

    words: frozenset[bytes] = frozenset()  # whole words that hold a bad part: Scunthorpe
    phrases: tuple[bytes, ...] = ()  # well-known phrases with a word that is bad alone
    common: frozenset[bytes] = frozenset()  # everyday words that make a bad one only across their gap: pen is
    tongues: tuple[Tongue, ...] = ()

    @classmethod
    def of(cls, allowed: Iterable[str], common: Iterable[str], tongues: Iterable[Tongue] = ()) -> "Innocent":
        """Fold the lists."""
        words = frozenset(folded(word).encode() for word in common)
        return cls(common=words, tongues=tuple(tongues)).with_allowed(allowed)

    def with_allowed(self, allowed: Iterable[str]) -> "Innocent":
        """Some more words and phrases."""
        entries = [folded(entry).encode() for entry in allowed]
        return replace(
            self,
            words=self.words.union(entry for entry in entries if b" " not in entry),
            phrases=(*self.phrases, *(entry for entry in entries if b" " in entry)),
        )

    def covers(self, data: bytes, start: int, end: int) -> bool:
        """Whether `data[start:end]` lies in an allowed word (or its plural) or phrase."""
        around = max(0, start - _LONGEST_ALLOWED)
        before = _LETTERS_BEFORE.search(data, around, start)
        after = _LETTERS.match(data, end, end + _LONGEST_ALLOWED)
        assert before is not None
        assert after is not None
        word = data[before.start() : after.end()]
        if word in self.words or word.removesuffix(b"s") in self.words:
            return True
        if any(word in tongue.words and tongue.spoken_in(data) for tongue in self.tongues):
            return True
        near = data[around : end + _LONGEST_ALLOWED].replace(b"*", b" ")
        return any(
            at <= start - around and end - around <= at + len(phrase)
            for phrase in self.phrases
            if (at := near.find(phrase)) >= 0
        )

    def across(self, pieces: list[bytes]) -> bool:
        """Whether words that stand beside each other only by chance form a term."""
        bare = [piece.strip(_SIGNS.encode()) for piece in pieces]
        return any(len(piece) > 1 for piece in bare) and all(piece in self.common for piece in bare)


class Lexicon:
    """The terms of one category that count from one level on."""

    def __init__(self, terms: Iterable[Term], innocent: Innocent) -> None:
        self.terms = tuple(terms)
        assert self.terms, "an empty alternation would be found everywhere"
        self.level = self.terms[0].level
        self._innocent = innocent
        self._named = {_canonical(term.text): term.text for term in self.terms}
        self._phrases = frozenset(_joined(term.text.encode()) for term in self.terms if " " in term.text)
        self.patterns = tuple(filter(None, (self._words(), self._parts())))
        """What a sieve looks for: a text in which none of them occurs holds no term."""

    @cached_property
    def _compiled(self) -> "tuple[re2._Regexp, ...]":
        return tuple(map(_compile, self.patterns))

    def find(self, view: View) -> tuple[str, int, int] | None:
        """The first term in a skeleton (its name as in `_name`, start and end in `view.data`); None without any."""
        return next(filter(None, (self._search(pattern, view.data) for pattern in self._compiled)), None)

    def _words(self) -> bytes:
        spaced = rb"|".join(_letters(term.text, _GAP) + _plural(term.text) for term in self.terms)
        return rb"(?:^|" + _EDGE + rb")(?:" + spaced + rb")(?:$|" + _EDGE + rb")"

    def _parts(self) -> bytes:
        return rb"|".join(_letters(term.text, rb"") for term in self.terms if term.part)

    def _search(self, pattern: "re2._Regexp", data: bytes) -> tuple[str, int, int] | None:
        at = 0
        while found := pattern.search(data, at):
            start, end = _trimmed(data, *found.span())
            if self._guilty(data, start, end):
                return self._name(data[start:end]), start, end
            at = found.start() + 1
        return None

    def _guilty(self, data: bytes, start: int, end: int) -> bool:
        """Whether a find counts: more than numbers and signs, and neither chance nor innocent."""
        written = data[start:end]
        pieces = written.split(b" ")
        letters = len(written.translate(None, _NO_LETTERS))
        others = len(written) - letters - (len(pieces) - 1)
        doubtful = len(pieces) > 1 or _MASKS_OR_DIGITS.search(written)
        if letters == 0 or (letters < others and doubtful):
            return False  # 455 and `a 55` are numbers, ** is emphasis; but a$$ is not
        if any(len(piece) > 1 and piece.isdigit() for piece in pieces):
            return False
        if _joined(written) not in self._phrases and self._innocent.across(pieces):
            return False
        return not self._innocent.covers(data, start, end)

    def _name(self, written: bytes) -> str:
        """The term behind a find; empty when the disguise leaves several possible."""
        text = written.decode("utf-8", "replace")
        for key in (_canonical(text), _canonical(text.strip(_SIGNS))):
            for ending in ("", "s", "es", "z"):
                if key.endswith(ending) and (name := self._named.get(key.removesuffix(ending))):
                    return name
        return ""


def _trimmed(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Without the neighbours that only showed where words begin and end."""
    while start < end and data[start] == 0x20:
        start += 1
    while end > start and data[end - 1] == 0x20:
        end -= 1
    return start, end


def _joined(text: bytes) -> bytes:
    return text.replace(b" ", b"")


def _plural(text: str) -> bytes:
    return rb"(?:e?s)?" if text.endswith(_HISSING) else rb"[sz]?"


def _letters(text: str, gap: bytes) -> bytes:
    """The pattern of a term: its letters as often as there or more often."""
    letters = text.replace(" ", "").replace("ck", _HARD_C + _HARD_K)
    runs = ((char, len(list(group))) for char, group in itertools.groupby(letters))
    pieces = []
    for index, (char, count) in enumerate(runs):
        signs, letter = _signs(char), _literal(char)
        one = rb"(?:" + signs + rb"|\*)" if index else signs
        more = signs + rb"{0,2}(?:" + gap + letter + rb")*"  # only letters go on and on: `i!1!1!1…` ends somewhere
        pieces.append(gap.join([one] * count) + more)
    return gap.join(pieces)


def _signs(char: str) -> bytes:
    if spelling := _SPELLINGS.get(char):
        return spelling
    stand_ins = _STAND_INS.get(char)
    return rb"[" + re.escape(stand_ins).encode() + rb"]" if stand_ins else _literal(char)


def _literal(char: str) -> bytes:
    if char in (_HARD_C, _HARD_K):
        return b"c" if char == _HARD_C else b"k"
    return rb"(?:" + re.escape(char.encode()) + rb")" if char >= "\x80" else char.encode()


def _canonical(text: str) -> str:
    known = "".join(char for char in text.translate(_CANONICAL) if char.isalnum())
    return _REPEAT.sub(r"\1", known)


def _compile(pattern: bytes) -> "re2._Regexp":
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.longest_match = True
    options.never_capture = True
    options.log_errors = False
    options.max_mem = 64 << 20
    return re2.compile(pattern, options)
