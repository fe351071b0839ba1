"""Words as a reader understands them, however they are typed: `1gn0re`, `kiiill`, `k.i.l.l`, `ignroe`, `#killthemall`.

The mender knows the words that rules look for, its vocabulary. It never guesses at anything else, so that innocent
text stays as it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from kitsu.safety.views import View, rewritten

_LEET = str.maketrans("013456789@$!|+€£¥¢(", "oieasgtbgasiitelycc")
_LEET_L = str.maketrans("1!|", "lll")
_TOKEN = re.compile(r"\S+")
_WORDISH = re.compile(r"[^\s.,;:?!\"'()\[\]]+")
_SIGN = re.compile(r"[0-9@$€£¥¢|+]")
_SPACED = re.compile(r"(?<!\S)\w(?:[ ._*/|,~-]\w){2,}(?!\w)")
_LOOSE = re.compile(r"[\W_]+")
_RUN = re.compile(r"(.)\1{2,}")
_MASKED = re.compile(r"[a-z][a-z*#_%]*[*#_%][a-z*#_%]*[a-z]")
_MASKS = re.compile(r"[*#_%]")
_EDGES = ".,;:?!\"'()[]{}<>#*_-~…"
_CORRECTABLE = range(5, 20)  # letters; shorter words have too many innocent neighbours
_MASKABLE = range(4, 20)
_SHORTEST_PIECE = 2
_SENTENCE = 12  # letters glued together in which one may be the article: cockatoo is no cock a too
_SPLITTABLE = range(7, 61)
_LONGEST_PIECE = 16


class Mender:
    """Mends what it knows."""

    def __init__(
        self,
        vocabulary: Iterable[str] = (),
        common: Iterable[str] = (),
        wording: Mapping[str, str] | None = None,
        misspelt: Iterable[str] = (),
    ) -> None:
        self.vocabulary = frozenset(vocabulary)
        self._wording = wording or {}
        self._known = self.vocabulary | frozenset(common)
        self._slips: dict[str, list[str]] = {}
        for word in misspelt:
            for slip in (word, *_shortened(word)):
                self._slips.setdefault(slip, []).append(word)
        self._masked: dict[tuple[int, str], list[str]] = {}
        for word in sorted(self.vocabulary):
            if len(word) in _MASKABLE:
                self._masked.setdefault((len(word), word[0]), []).append(word)
        self._mended = lru_cache(maxsize=8192)(self._mend_token)

    def mend(self, plain: View) -> View | None:
        """The view `mended`; None when nothing would change."""
        gathered = _gathered(plain)
        pieces = [
            (found.start(), found.end(), instead)
            for found in _TOKEN.finditer(gathered.text)
            if (instead := self._mended(found.group())) != found.group()
        ]
        return rewritten(gathered, "mended", pieces) if pieces or gathered is not plain else None

    def unleet(self, plain: View) -> View | None:
        """Only letters for digits and signs in words, nothing else mended; None when nothing would change."""
        pieces = [
            (found.start(), found.end(), instead)
            for found in _WORDISH.finditer(plain.text)
            if _SIGN.search(found.group()) and (instead := self._unleet(found.group())) != found.group()
        ]
        return rewritten(plain, "unleet", pieces) if pieces else None

    def _mend_token(self, token: str) -> str:
        core = token.strip(_EDGES)
        if instead := self._wording.get(core):
            return token.replace(core, instead)
        if not core or core in self._known:
            return token
        before, _, after = token.partition(core)
        return before + (self._unmasked(core) or self._understood(core)) + after

    def _unmasked(self, core: str) -> str:
        """The one known word behind `b*mb`, if there is one and most of its letters show; else empty."""
        if not _MASKED.fullmatch(core) or 2 * len(_MASKS.findall(core)) >= len(core):
            return ""
        shape = re.compile(_MASKS.sub(".", core))
        fitting = [word for word in self._masked.get((len(core), core[0]), ()) if shape.fullmatch(word)]
        return fitting[0] if len(fitting) == 1 else ""

    def _understood(self, core: str) -> str:
        word = self._unstretched(self._unleet(core))
        word = self._wording.get(word, word)
        if word in self._known or not word.isalpha():
            return word
        if (corrected := self._corrected(word)) is not None:
            return corrected
        if word[0] == "a" and word[1:] in self._known and len(word) > _SHORTEST_PIECE + 1:
            return f"a {word[1:]}"
        return self._split(word) if len(word) in _SPLITTABLE else word

    def _unleet(self, core: str) -> str:
        """Letters for the digits and signs in a word that has letters, too; numbers, times and links stay."""
        letters = sum(map(str.isalpha, core))
        if letters in (0, len(core)) or "." in core or ":" in core:
            return core
        usual, other = core.translate(_LEET), core.translate(_LEET_L).translate(_LEET)
        return other if other in self._known and usual not in self._known else usual

    def _unstretched(self, word: str) -> str:
        if not _RUN.search(word):
            return word
        once, twice = _RUN.sub(r"\1", word), _RUN.sub(r"\1\1", word)
        return twice if twice in self._known and once not in self._known else once

    def _corrected(self, word: str) -> str | None:
        """The one known word that `word` is a slip away from."""
        if len(word) not in _CORRECTABLE:
            return None
        for slip in (word, *_shortened(word)):
            for known in self._slips.get(slip, ()):
                if known[0] == word[0] and _one_slip(word, known):
                    return known
        return None

    def _split(self, word: str) -> str:
        """The known words that `word` is glued together from, as few as can be; itself when there are none."""
        best: list[tuple[str, ...] | None] = [(), *(None for _ in word)]
        between = "a" if len(word) >= _SENTENCE else ""
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - _LONGEST_PIECE), end):
                before, piece = best[start], word[start:end]
                one_letter = between if start else "i"
                if before is None or not (piece in self._known if end - start > 1 else piece == one_letter):
                    continue
                known = best[end]
                if known is None or len(before) + 1 < len(known):
                    best[end] = (*before, piece)
        return " ".join(best[-1]) if best[-1] else word


def _gathered(plain: View) -> View:
    """Letters that stand apart, put together: `k i l l`, `k.i.l.l`."""
    pieces = [
        (found.start(), found.end(), joined)
        for found in _SPACED.finditer(plain.text)
        if (joined := _LOOSE.sub("", found.group())) and not joined.isdigit()
    ]
    return rewritten(plain, "gathered", pieces) if pieces else plain


def _shortened(word: str) -> Iterator[str]:
    """Every form with one letter less; never without its first."""
    return (word[:at] + word[at + 1 :] for at in range(1, len(word)))


def _one_slip(word: str, known: str) -> bool:
    """Whether one letter too many, too few or wrong, or two swapped, make one of the other.

    Optimal string alignment distance of at most 1 (Damerau 1964).
    """
    if abs(len(word) - len(known)) > 1:
        return False
    at = next((at for at, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), min(len(word), len(known)))
    if len(word) != len(known):
        longer, shorter = sorted((word, known), key=len, reverse=True)
        return longer[at + 1 :] == shorter[at:]
    swapped = word[at + 1 : at + 2] + word[at : at + 1] == known[at : at + 2]
    return word[at + 1 :] == known[at + 1 :] or (swapped and word[at + 2 :] == known[at + 2 :])
