"""From the written form of a segment to the one that a voice can say, and back again for captions.

Numbers, times, money, links, emotes, chat names and words of the pronunciation list are written out; everything else
stays. What is said differs from what is shown, so each replaced piece remembers its place in both.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from kitsu.protocol import Rewrite
from kitsu.speech.numerals import PATTERNS, Language, Say, digits, number

MAX_NAME = 40  # code points of a name that is taken apart; longer ones are not names

_TOP_LEVEL = "com|net|org|tv|gg|io|de|dev|me|co|ai|app"
_URL = (
    r"(?:https?://|www\.)[^\s<>\"']+"
    rf"|(?<![\w@.])[\w-]+(?:\.[\w-]+)*\.(?:{_TOP_LEVEL})(?:/[^\s<>\"']*)?(?!\w)"
)
_NAME = r"(?<![\w@])(?:@\w+|[^\W_]+_\w*|_+[^\W_]\w*|[^\W\d_]+\d\w*|[a-z]+[A-Z]\w*|[A-Z][a-z]+[A-Z]\w*)(?![\w@])"
_SHORTCODE = r"(?<!\w):[a-z][a-z0-9_]{1,30}:(?!\w)"
_SEAMS = re.compile(r"_+|(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_DECORATION = re.compile(r"^(?:xX|Xx|xx|XX)_*|_*(?:xX|Xx|xx|XX)$|^_+|_+$")
_SIGNS: dict[Language, dict[str, str]] = {
    "en": {"&": "and", "+": "plus", "=": "equals", "×": "times", "÷": "divided by", "±": "plus or minus", "@": "at"},
    "de": {"&": "und", "+": "plus", "=": "gleich", "×": "mal", "÷": "geteilt durch", "±": "plus minus", "@": "at"},
}


class Spoken(NamedTuple):
    """What a voice says for a text."""

    text: str
    rewrites: tuple[Rewrite, ...] = ()


class Speaker:
    """Writes out what a voice cannot say as it stands.

    Args:
        language: of the numbers' words.
        words: pronunciation list, written -> said; whole words, case does not matter. An empty one is left unsaid.
    """

    def __init__(self, language: Language = "en", words: Mapping[str, str] | None = None) -> None:
        self._language = language
        self._words = {written.casefold(): said for written, said in (words or {}).items()}
        listed = "|".join(re.escape(word) for word in sorted(self._words, key=len, reverse=True))
        rules: list[tuple[str, Say]] = [(_URL, _link)]
        if listed:
            rules.append((rf"(?<![\w@])(?i:{listed})(?!\w)", self._listed))
        rules += [(_SHORTCODE, _shortcode), *PATTERNS, (_NAME, _name), (r"#(?=\d)", _hash)]
        rules.append((r"(?<=\s)[&+=×÷±@](?=\s)", _sign))
        self._says = [say for _, say in rules]
        self._pattern = re.compile("|".join(f"(?P<rule{index}>{rule})" for index, (rule, _) in enumerate(rules)))

    def say(self, text: str) -> Spoken:
        """The spoken form of one segment. Linear in its length."""
        said: list[str] = []
        rewrites: list[Rewrite] = []
        at = length = 0
        for found in self._pattern.finditer(text):
            rule = next(index for index in range(len(self._says)) if found[f"rule{index}"] is not None)
            words = self._says[rule](found, self._language)
            if words == found[0]:
                continue
            before = text[at : found.start()]
            said += (before, words)
            length += len(before)
            rewrites.append(
                Rewrite(start=length, end=length + len(words), written_start=found.start(), written_end=found.end())
            )
            length += len(words)
            at = found.end()
        said.append(text[at:])
        return Spoken("".join(said), tuple(rewrites))

    def _listed(self, found: re.Match[str], language: Language) -> str:
        return self._words[found[0].casefold()]


def name_words(name: str, language: Language) -> str:
    """A chat name as its words: `xX_DarkLord99_Xx` -> `Dark Lord ninety-nine`."""
    bare = _DECORATION.sub("", name.lstrip("@")) or name.lstrip("@")
    if len(bare) > MAX_NAME:
        return bare
    words = [
        (number(word, language) if len(word) <= 3 and word[0] != "0" else digits(word, language))
        if word.isdecimal()
        else word
        for word in _SEAMS.split(bare)
        if word
    ]
    return " ".join(words) or bare


def _name(found: re.Match[str], language: Language) -> str:
    return name_words(found[0], language)


def _link(found: re.Match[str], language: Language) -> str:
    """Only the host is said; nobody types a path from hearing it."""
    host = re.sub(r"^(?:https?://)?(?:www\.)?", "", found[0]).split("/")[0].split("?")[0]
    tail = found[0][len(found[0].rstrip(".,;:!?)")) :]
    return host.rstrip(".,;:!?)").replace(".", " dot " if language == "en" else " Punkt ").replace("-", " ") + tail


def _shortcode(found: re.Match[str], language: Language) -> str:
    return found[0].strip(":").replace("_", " ")


def _hash(found: re.Match[str], language: Language) -> str:
    return "number " if language == "en" else "Nummer "


def _sign(found: re.Match[str], language: Language) -> str:
    return _SIGNS[language][found[0]]
