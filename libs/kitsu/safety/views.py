"""Ways of looking at a text. Disguises that change how it is written leave at least one view unchanged.

    text ──► plain     folded letters (width, styles, accents, case, look-alikes), nothing invisible, single blanks
               ├─► heard     number words as digits: what a listener would write down
               └─► skeleton  letters, digits and letter-like signs only, runs cut to three: what lexicons read
                      └─► bare  without those signs

Every view maps back to the text that it was made from. All of them cost linear time.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

LETTER_SYMBOLS = frozenset("@$!+|*")
"""Signs that stand in for a letter (`*` for any)."""

_APOSTROPHES = frozenset("'`´’‘ʼ")
_BLANK = frozenset({"Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
_INVISIBLE = frozenset({"Cf", "Mn", "Me"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")  # Hangul fillers: letters by category, blank to the eye
_LOOKALIKES = str.maketrans(
    "авгезѕіјкмнопрстухьԁԛԝһӏ" + "αβγεηικνορτυχω" + "øłđıðŧħɡɑ",
    "abre3sijkmhonpctyxbdqwhl" + "abyenikvoptuxw" + "oldidthga",
)
_MAX_EXPANSION = 3  # code points that one may fold to; a single Arabic ligature would otherwise become 18
_MAX_RUN = 3
_DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBER_WORDS = {name: str(digit) for digit, name in enumerate(_DIGIT_NAMES)} | {"oh": "0"}
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBER_WORDS)})\b")


@dataclass(frozen=True, slots=True)
class View:
    """A text as one kind of rule reads it."""

    name: str
    text: str
    data: bytes  # `text` as UTF-8: what RE2 reads without converting it for every rule
    origin: Sequence[int]  # for each code point of `text`: its index in the original

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the original (code points, end excluded) behind bytes `start:end` of `data`."""
        first = len(self.data[:start].decode("utf-8", "ignore"))
        last = len(self.data[:end].decode("utf-8", "ignore"))
        if first >= last:
            return 0, 0
        return self.origin[first], self.origin[last - 1] + 1


def plain(text: str) -> View:
    """Folded text with single blanks and nothing invisible."""
    chars: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(text):
        for folded in _fold(char):
            if folded == " " and (not chars or chars[-1] == " "):
                continue
            chars.append(folded)
            origin.append(index)
    return _view("plain", "".join(chars), origin)


def heard(view: View) -> View | None:
    """`plain` with number words as digits; None when there are none."""
    pieces: list[str] = []
    origin: list[int] = []
    done = 0
    for found in _NUMBER_WORD.finditer(view.text):
        pieces += (view.text[done : found.start()], _NUMBER_WORDS[found.group()])
        origin += view.origin[done : found.start() + 1]
        done = found.end()
    if not pieces:
        return None
    origin += view.origin[done:]
    return _view("heard", "".join((*pieces, view.text[done:])), origin)


def skeleton(view: View) -> View:
    """Letters, digits and letter-like symbols of `plain`; everything else is one blank; apostrophes vanish."""
    chars: list[str] = []
    origin: list[int] = []
    for char, index in zip(view.text, view.origin, strict=True):
        if char in _APOSTROPHES:
            continue
        kept = char if char.isalnum() or char in LETTER_SYMBOLS else " "
        if kept == " " and (not chars or chars[-1] == " "):
            continue
        if chars[-_MAX_RUN:] == [kept] * _MAX_RUN:
            continue
        chars.append(kept)
        origin.append(index)
    return _view("skeleton", "".join(chars), origin)


def bare(view: View) -> View | None:
    """`skeleton` with the signs taken for gaps (`z!o!r!b!l!y`) instead of letters; None when there are none."""
    if LETTER_SYMBOLS.isdisjoint(view.text):
        return None
    chars: list[str] = []
    origin: list[int] = []
    for char, index in zip(view.text, view.origin, strict=True):
        kept = " " if char in LETTER_SYMBOLS else char
        if kept == " " and (not chars or chars[-1] == " "):
            continue
        chars.append(kept)
        origin.append(index)
    return _view("bare", "".join(chars), origin)


def folded(text: str) -> str:
    """`text` as the skeleton shows it: the form in which lexicons and allow-lists are kept."""
    return skeleton(plain(text)).text.strip()


@lru_cache(maxsize=8192)
def _fold(char: str) -> str:
    if char < "\x80":
        return char.lower() if " " < char < "\x7f" else " "
    kept = []
    for part in unicodedata.normalize("NFKD", char.casefold()):
        category = unicodedata.category(part)
        if category in _INVISIBLE or part in _FILLERS:
            continue
        kept.append(" " if category in _BLANK else part)
    return "".join(kept[:_MAX_EXPANSION]).casefold().translate(_LOOKALIKES)


def _view(name: str, text: str, origin: Sequence[int]) -> View:
    return View(name, text, text.encode("utf-8"), origin)
