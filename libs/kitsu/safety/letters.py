"""One letter for each of its disguises: width, style, accent, case, and look-alikes of any script.

Sources: Unicode's compatibility decompositions (NFKD); its confusables as packed by `confusable-homoglyphs`; `anyascii`
for styled signs that neither of them resolves (🅵, ꜰ, 🇫); and below, what the three leave open.
"""

import unicodedata
from functools import lru_cache
from importlib.resources import files

import msgspec
from anyascii import anyascii

BLANK = frozenset({"Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp"})
INVISIBLE = frozenset({"Cf", "Mn", "Me"})
FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
"""Letters or signs by category, blank to the eye."""

_APOSTROPHES = frozenset("’‘ʼ´′＇")
_MAX_EXPANSION = 3  # code points that one may fold to; a single Arabic ligature would otherwise become 18
_STYLED = frozenset({"So", "Sk", "No", "Lm", "Ll", "Lu"})
_SMALL = str.maketrans(
    "авгезѕіјкмнопрстухьԁԛԝһӏё" + "ғҝқңүұҳҽԍпшᴦ" + "αβγεηικνορτυχωλσ" + "øłđıðŧħɡɑƒǝɐꞓɛɘʃɩɫɲɳʋɯ",
    "abre3sijkmhonpctyxbdqwhle" + "fkkhyyxegnwr" + "abyenikvoptuxwlo" + "oldidthgafeaceesilnnvm",
)
"""Small letters that read as another; Unicode lists many of these only as capitals, or not at all."""


class _Confusable(msgspec.Struct):
    c: str


def _confusables() -> dict[str, str]:
    """Every single sign that Unicode calls confusable with a Latin letter, and that letter."""
    packed = files("confusable_homoglyphs").joinpath("confusables.json").read_bytes()
    listed = msgspec.json.decode(packed, type=dict[str, list[_Confusable]])
    found: dict[str, str] = {}
    for code in (*range(ord("a"), ord("z") + 1), *range(ord("A"), ord("Z") + 1)):
        for entry in listed.get(chr(code), ()):
            if len(sign := entry.c) == 1 and not sign.isascii():
                found.setdefault(sign, chr(code).lower())
    return found


_CONFUSABLES = _confusables()


@lru_cache(maxsize=8192)
def fold(char: str) -> str:
    """What `char` reads as: small letters, a blank, or nothing when it cannot be seen."""
    if char < "\x80":
        return char.lower() if " " < char < "\x7f" else " "
    if char in _APOSTROPHES:
        return "'"
    if char.isdigit():
        return str(unicodedata.digit(char))
    if letter := _CONFUSABLES.get(char):
        return letter
    if letter := _styled(char):
        return letter
    kept = []
    for part in unicodedata.normalize("NFKD", char.casefold()):
        category = unicodedata.category(part)
        if category in INVISIBLE or part in FILLERS:
            continue
        kept.append(" " if category in BLANK else _CONFUSABLES.get(part, part))
    return "".join(kept[:_MAX_EXPANSION]).casefold().translate(_SMALL)


def _styled(char: str) -> str:
    """The letter in a squared, flagged, small-capital or otherwise dressed-up one; empty for everything else."""
    if unicodedata.category(char) not in _STYLED or unicodedata.decomposition(char):
        return ""
    name = unicodedata.name(char, "")
    if not ("SQUARED" in name or "CIRCLED" in name or "REGIONAL" in name or "SMALL CAPITAL" in name):
        return ""
    letters = anyascii(char).lower()
    return letters if letters.isalnum() and len(letters) <= 2 else ""
