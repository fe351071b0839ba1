"""Ways in which people hide a word from readers in a hurry: turned round, spelled out, taken apart.

Those that would find something in any text (ROT13, reversal, pig latin) look only where a word comes out that rules
know: `known`.
"""

import re
from collections.abc import Collection, Iterator

from anyascii import anyascii

from kitsu.safety.clean import parted
from kitsu.safety.encodings import Piece

_WORD = re.compile(r"[^\W\d_]+")
_MIN_KNOWN = 3  # letters of a word that gives a hidden text away
ROT13 = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "nopqrstuvwxyzabcdefghijklmNOPQRSTUVWXYZABCDEFGHIJKLM"
)
_UPRIGHT = dict(zip("ɐqɔpǝɟƃɓɥᴉıɾʞןꞁɯuodbɹsʇnʌʍxʎz", "abcdefgghiijkllmnopqrstuvwxyz", strict=True))
_ONLY_FLIPPED = frozenset("ɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ")
_OVERRIDE = re.compile("[\u202e\u202b\u2067]([^\u202c\u2069\n]+)")
_NATO = frozenset(
    {
        "alpha", "alfa", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet", "juliett",
        "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango", "uniform", "victor",
        "whiskey", "whisky", "xray", "yankee", "zulu",
    }
)  # fmt: skip
_LETTER_NAMES = {
    "ay": "a", "bee": "b", "cee": "c", "see": "c", "sea": "c", "dee": "d", "ee": "e", "eff": "f", "ef": "f", "gee": "g",
    "aitch": "h", "haitch": "h", "eye": "i", "jay": "j", "kay": "k", "el": "l", "ell": "l", "em": "m", "en": "n",
    "oh": "o", "owe": "o", "pee": "p", "pea": "p", "cue": "q", "queue": "q", "kew": "q", "ar": "r", "are": "r",
    "ess": "s", "es": "s", "tee": "t", "tea": "t", "you": "u", "yew": "u", "vee": "v", "doubleu": "w", "ex": "x",
    "why": "y", "wye": "y", "zee": "z", "zed": "z",
} | {word: word[0] for word in _NATO}  # fmt: skip
_WORDS_TOO = frozenset(
    {"see", "sea", "eye", "oh", "are", "you", "why", "tea", "pea", "mike", "hotel", "golf", "papa", "es"}
)
_MIN_NAMES = 3
_AS_IN = re.compile(r"\b(\w) (?:as in|like in|for|wie) [\w-]+", re.IGNORECASE)
_QUOTED = re.compile(r"[\"'“”‘’`*]([^\W\d_]{1,12})[\"'“”‘’`*]")
_MAX_BETWEEN = 12
_TOKEN = re.compile(r"\w+")
_JOINT = re.compile(r"[a-z][A-Z]|[^\W\d_]_|_[^\W\d_]|A[A-Z][a-z]")
_PLUS_SIGN = re.compile(r"\+|\bplus\b", re.IGNORECASE)
_PLUS = re.compile(r"\b[^\W\d_]{1,10}(?: ?(?:\+|\bplus\b) ?[^\W\d_]{1,10})+\b", re.IGNORECASE)
_INITIAL = re.compile(r"^[\s\"'*•>-]*(\w)", re.MULTILINE)
_MIN_LINES = 3
_CAPITALS = range(4, 27)
_CLAUSE = re.compile(r"[\n.:;!?()]+")
_TELLS_TO_LOOK = re.compile(
    r"\b(?:first letters?|initials?|acrostic|anfangsbuchstaben?|erste[nr]? buchstaben?|iniciales|iniciais"
    r"|primeras? letras?|primeiras? letras?)\b",
    re.IGNORECASE,
)
_ASSIGNED = re.compile(r"[\w\]] ?:?= ?[\"'“”‘’`]([^\"“”`\n]{1,60}?)[\"'“”‘’`](?!\w)")
_BLANK = re.compile(r"\b([^\W\d_]{3,})(_{2,})(?!\w)")
_ANY_LENGTH = 4  # blanks: so many stand for a word of any length


def rot13(text: str, known: Collection[str]) -> Iterator[Piece]:
    """Each letter thirteen further."""
    turned = text.translate(ROT13)
    if _gives_away(turned, text, known):
        yield Piece(0, len(text), turned)


def backwards(text: str, known: Collection[str]) -> Iterator[Piece]:
    """From right to left, all of it."""
    if _gives_away(text[::-1], text, known):
        yield Piece(0, len(text), text[::-1])


def backwards_words(text: str, known: Collection[str]) -> Iterator[Piece]:
    """From right to left, word by word."""
    for found in _WORD.finditer(text):
        if (word := found.group()[::-1].lower()) in known and len(word) > _MIN_KNOWN and word != found.group().lower():
            yield Piece(*found.span(), word)


def overridden(text: str, known: Collection[str]) -> Iterator[Piece]:
    """Letters that direction characters show in another order than they stand in."""
    return (Piece(*found.span(), found.group(1)[::-1]) for found in _OVERRIDE.finditer(text))


def upside_down(text: str, known: Collection[str]) -> Iterator[Piece]:
    """Letters that stand on their heads are read from the other end."""
    if sum(char in _ONLY_FLIPPED for char in text.lower()) > 1:
        yield Piece(0, len(text), "".join(_UPRIGHT.get(char, char) for char in reversed(text.lower())))


def pig_latin(text: str, known: Collection[str]) -> Iterator[Piece]:
    """`orbly-zay`: the first consonants go to the end, and `ay` after them."""
    for found in _WORD.finditer(text):
        word = found.group().lower()
        stem = word.removesuffix("ay")
        if stem == word or len(stem) < _MIN_KNOWN:
            continue
        forms = [stem.removesuffix("w"), stem.removesuffix("y"), *(stem[-cut:] + stem[:-cut] for cut in (1, 2, 3))]
        if clear := next((form for form in forms if form != stem and _is_known(form, known)), None):
            yield Piece(*found.span(), clear)


def letter_names(text: str, known: Collection[str]) -> Iterator[Piece]:
    """`zee oh ar bee el why`, `Zulu Oscar Romeo …`."""
    run: list[tuple[int, int, str]] = []
    for found in (*_WORD.finditer(text + " ."), None):
        letter = found and _letter_of(found.group().lower(), bool(run))
        if found and letter:
            run.append((*found.span(), letter))
            continue
        if (
            sum(text[start:end].lower() not in _WORDS_TOO and end - start > 1 for start, end, _ in run)
            >= _MIN_NAMES - 1
        ):
            yield Piece(run[0][0], run[-1][1], " " + "".join(letter for *_, letter in run) + " ")
        run.clear()


def as_in(text: str, known: Collection[str]) -> Iterator[Piece]:
    """`z as in zebra, o as in otter`."""
    found = list(_AS_IN.finditer(text))
    if len(found) >= _MIN_NAMES:
        yield Piece(found[0].start(), found[-1].end(), "".join(match.group(1) for match in found))


def quoted_parts(text: str, known: Collection[str]) -> Iterator[Piece]:
    """`"zor" + "bly"`, `"zor" and then "bly"`."""
    run: list[re.Match[str]] = []
    for found in (*_QUOTED.finditer(text), None):
        if found and (not run or found.start() - run[-1].end() <= _MAX_BETWEEN):
            run.append(found)
            continue
        if len(run) > 1:
            yield Piece(run[0].start(), run[-1].end(), "".join(match.group(1) for match in run))
        run = [found] if found else []


def assigned(text: str, known: Collection[str]) -> Iterator[Piece]:
    """`x = "zor"; y = "bly"`."""
    found = list(_ASSIGNED.finditer(text))
    if len(found) > 1:
        yield Piece(found[0].start(), found[-1].end(), f" {''.join(match.group(1) for match in found)} ")


def blanks(text: str, known: Collection[str]) -> Iterator[Piece]:
    """`zorb__`: every word that the reader could be meant to complete, if at least half of it is there."""
    for found in _BLANK.finditer(text):
        stem, missing = found.group(1).lower(), len(found.group(2))
        fitting = [
            word
            for word in sorted(known)
            if word.startswith(stem) and len(stem) < len(word) <= 2 * len(stem)
            if missing == len(word) - len(stem) or (missing >= _ANY_LENGTH and len(stem) > _MIN_KNOWN)
        ]
        if fitting:
            yield Piece(*found.span(), f" {'. '.join(fitting)}. ")


def camel_case(text: str, known: Collection[str]) -> Iterator[Piece]:
    """`#TheyAreZorblies`, `Zorbly_99`: words that meet in a capital, a digit or an underscore."""
    for found in _TOKEN.finditer(text):
        if _JOINT.search(found.group()):
            yield Piece(*found.span(), parted(found.group()).replace("_", " "))


def plus(text: str, known: Collection[str]) -> Iterator[Piece]:
    """`zor plus bly`, `zor + bly`."""
    for found in _PLUS.finditer(text):
        yield Piece(*found.span(), "".join(_WORD.findall(_PLUS_SIGN.sub("", found.group()))))


def acrostic(text: str, known: Collection[str]) -> Iterator[Piece]:
    """First letters of lines; of words, when all in their clause have a capital or the reader is told to look."""
    initials = "".join(_INITIAL.findall(text))
    if len(initials) >= _MIN_LINES and "\n" in text.strip():
        yield Piece(0, len(text), initials)
    told = _TELLS_TO_LOOK.search(text)
    clauses = [[word for word in clause.split() if word[0].isalpha()] for clause in _CLAUSE.split(text)]
    spelled = [
        "".join(word[0] for word in words)
        for words in (*clauses, text.split())
        if len(words) in _CAPITALS and (told or all(word[0].isupper() for word in words))
    ]
    if spelled:
        yield Piece(0, len(text), " ".join(dict.fromkeys(spelled)))


def romanised(text: str, known: Collection[str]) -> Iterator[Piece]:
    """Words of other scripts as they sound, in Latin letters."""
    for found in _WORD.finditer(text):
        if not found.group().isascii() and not _latin(found.group()):
            yield Piece(*found.span(), anyascii(found.group()))


def _latin(word: str) -> bool:
    return all(char < "\u0250" or "\u1e00" <= char < "\u1f00" for char in word)


def _gives_away(turned: str, text: str, known: Collection[str]) -> bool:
    """Whether known words come out, and no fewer than the text has as it is written."""
    return 0 < _count_known(turned, known) >= _count_known(text, known)


def _count_known(text: str, known: Collection[str]) -> int:
    words = map(str.lower, _WORD.findall(text))
    return sum(len(word) > _MIN_KNOWN and _is_known(word, known) for word in words)


def _is_known(word: str, known: Collection[str]) -> bool:
    return word in known or word.removesuffix("s") in known


def _letter_of(word: str, inside: bool) -> str:
    if len(word) == 1 and inside:
        return word
    return _LETTER_NAMES.get(word, "")
