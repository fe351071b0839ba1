"""Ways of looking at a text. Disguises that change how it is written leave at least one view unchanged.

    text ─► plain      folded letters (width, styles, accents, case, look-alikes), nothing invisible, single blanks
              ├─► heard     number words as digits: what a listener would write down
              ├─► mended    see `kitsu.safety.mending`: what a reader makes of leet, spaced and misspelt words
              └─► skeleton  letters, digits and letter-like signs only, runs cut to three: what lexicons read
                     ├─► bare    without those signs
                     └─► masked  whatever stands inside a word instead of a letter is `*`

What had to be decoded first (`kitsu.safety.disguises`) is looked at in the same ways. Every view maps back to the text
that it was made from. All of them cost linear time.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from kitsu.safety.letters import fold

LETTER_SYMBOLS = frozenset("@$!+|*")
"""Signs that stand in for a letter (`*` for any)."""

_APOSTROPHES = frozenset("'`´’‘ʼ")
_MAX_RUN = 3
_DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_NUMBER_WORDS = (
    {name: str(digit) for digit, name in enumerate(_DIGIT_NAMES)}
    | {
        name: str(digit)
        for digit, name in enumerate(
            ("null", "eins", "zwei", "drei", "vier", "funf", "sechs", "sieben", "acht", "neun")
        )
    }
    | {
        name: str(digit)
        for digit, name in enumerate(
            ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve")
        )
    }
    | {
        f"{ten}{gap}{one}": f"{tens}{digit}"
        for tens, ten in enumerate(_TENS, 2)
        for digit, one in enumerate(_DIGIT_NAMES)
        if digit
        for gap in "- "
    }
    | {ten: f"{tens}0" for tens, ten in enumerate(_TENS, 2)}
    | {"oh": "0", "zwo": "2", "meia": "6"}
)
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))})\b")
_CURRENCY = str.maketrans("€£¥¢", "elyc")
_ASIDE = re.compile(r"[^\S ]|  |\A |[\x00-\x1f\x7f]")  # what keeps an ASCII text from being its own plain view
_SIGN = r"[^a-z0-9\s'’,;:()\[\]{}\"&+@$!|]{1,3}"
_OTHER_SCRIPT = 3  # letters that look like no Latin one: the text is in another script, and they hide nothing
_MASK = re.compile(rf"(?<=[a-z0-9][a-z0-9]){_SIGN}(?=[a-z0-9])|(?<=[a-z0-9]){_SIGN}(?=[a-z0-9]{{2}})")
"""Signs inside a word. The last ones listed are letters, or stand between words, more often than they hide a letter."""


@dataclass(frozen=True, slots=True)
class View:
    """A text as one kind of rule reads it."""

    name: str
    text: str
    origin: Sequence[int]  # for each code point of `text`: its index in `base`, or in the judged text without one
    base: "View | None" = None
    ends: Sequence[int] | None = None  # where the piece behind it ends; None: just after its origin
    data: bytes = field(init=False)  # `text` as UTF-8: what RE2 reads without converting it for every rule

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", self.text.encode("utf-8", "replace"))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the judged text (code points, end excluded) behind bytes `start:end` of `data`."""
        first = len(self.data[:start].decode("utf-8", "ignore"))
        last = len(self.data[:end].decode("utf-8", "ignore"))
        return self.points(first, last)

    def points(self, first: int, last: int) -> tuple[int, int]:
        """The part of the judged text behind code points `first:last` of `text`."""
        if first >= last:
            return 0, 0
        begin = self.origin[first]
        end = self.ends[last - 1] if self.ends else self.origin[last - 1] + 1
        return self.base.points(begin, end) if self.base else (begin, end)


def plain(text: str, base: View | None = None, *, name: str = "plain") -> View:
    """Folded text with single blanks and nothing invisible."""
    if text.isascii() and not _ASIDE.search(text):
        return View(name, text.lower(), range(len(text)), base)
    chars: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(text):
        for folded in fold(char):
            if folded == " " and (not chars or chars[-1] == " "):
                continue
            chars.append(folded)
            origin.append(index)
    return View(name, "".join(chars), origin, base)


def heard(view: View) -> View | None:
    """`plain` with number words as digits; None when there are none."""
    found = [(match.start(), match.end(), _NUMBER_WORDS[match.group()]) for match in _NUMBER_WORD.finditer(view.text)]
    return rewritten(view, "heard", found) if found else None


def rewritten(view: View, name: str, pieces: Sequence[tuple[int, int, str]]) -> View:
    """`view` with other words in some places (start, end, instead; in order, apart from each other)."""
    text: list[str] = []
    origin: list[int] = []
    ends: list[int] = []
    done = 0
    for start, end, instead in (*pieces, (len(view.text), len(view.text), "")):
        text += (view.text[done:start], instead)
        origin += range(done, start)
        ends += range(done + 1, start + 1)
        origin += [start] * len(instead)
        ends += [end] * len(instead)
        done = end
    return View(name, "".join(text), origin, view, ends)


def skeleton(view: View, name: str = "skeleton") -> View:
    """Letters, digits and letter-like symbols; everything else is one blank; apostrophes vanish."""
    chars: list[str] = []
    origin: list[int] = []
    before = " "
    run = 0
    for index, char in enumerate(view.text.translate(_CURRENCY)):
        if char in _APOSTROPHES:
            continue
        kept = char if char.isalnum() or char in LETTER_SYMBOLS else " "
        run = run + 1 if kept == before else 1
        if run > _MAX_RUN or (kept == " " == before):
            continue
        before = kept
        chars.append(kept)
        origin.append(index)
    return View(name, "".join(chars), origin, view)


def bare(view: View) -> View | None:
    """`skeleton` with the signs taken for gaps (`z!o!r!b!l!y`) instead of letters; None when there are none."""
    if LETTER_SYMBOLS.isdisjoint(view.text):
        return None
    chars: list[str] = []
    origin: list[int] = []
    for index, char in enumerate(view.text):
        kept = " " if char in LETTER_SYMBOLS else char
        if kept == " " and (not chars or chars[-1] == " "):
            continue
        chars.append(kept)
        origin.append(index)
    return View("bare", "".join(chars), origin, view)


def masked(view: View) -> View | None:
    """The skeleton of `plain` with `*` for signs that stand inside a word (`z#rbly`, `z🍆rbly`); None without any."""
    found = list(_MASK.finditer(view.text))
    if any(any(map(str.isalpha, mask.group())) for mask in found) and _in_other_script(view.text):
        found = [mask for mask in found if not any(map(str.isalpha, mask.group()))]
    pieces = [(mask.start(), mask.end(), "*" * len(mask.group())) for mask in found]
    return skeleton(rewritten(view, "masked", pieces), "masked") if pieces else None


def _in_other_script(text: str) -> bool:
    return sum(char.isalpha() and not char.isascii() for char in text) >= _OTHER_SCRIPT


def folded(text: str) -> str:
    """`text` as the skeleton shows it: the form in which lexicons and allow-lists are kept."""
    return skeleton(plain(text)).text.strip()
