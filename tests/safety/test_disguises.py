"""One word is added while the show runs; every family of disguises of it is blocked, without a line of code for it."""

import base64
import codecs
import string
from collections.abc import Callable
from functools import cache
from urllib.parse import quote

import pytest

from kitsu.config import CHECKOUT
from kitsu.safety import RuleSet, load_rules

WORDS = ("zorbly", "flumpen", "grintsack", "quabbel", "vemmitok")
SIGNALS = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
MORSE = dict(zip(string.ascii_lowercase, SIGNALS.split(), strict=True))
CALLS = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo "
    "sierra tango uniform victor whiskey xray yankee zulu"
)
NATO = dict(zip(string.ascii_lowercase, CALLS.split(), strict=True))
LEET = str.maketrans("aeiostz", "4310572")
CYRILLIC = str.maketrans("aceopxyi", "асеорхуі")
GREEK = str.maketrans("aioknptuv", "αιοκηρτυν")
FLIPPED = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ɐqɔpǝɟƃɥᴉɾʞןɯuodbɹsʇnʌʍxʎz")
SMALL_CAPS = str.maketrans("abcdefghijklmnoprtuvwyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢ")


def shifted(base: int) -> Callable[[str], str]:
    """Letters of a block of styled ones that begins at `base`."""
    return lambda word: "".join(chr(base + ord(letter) - ord("a")) for letter in word)


def pig_latin(word: str) -> str:
    start = next(at for at, letter in enumerate(word) if letter in "aeiou")
    return f"{word[start:]}{word[:start]}ay"


DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "case": lambda word: "".join(letter.upper() if at % 2 else letter for at, letter in enumerate(word)),
    "leet": lambda word: word.translate(LEET),
    "one letter masked": lambda word: f"{word[:2]}*{word[3:]}",
    "another sign masks": lambda word: f"{word[:2]}#{word[3:]}",
    "an emoji masks": lambda word: f"{word[:2]}🦊{word[3:]}",
    "cyrillic": lambda word: word.translate(CYRILLIC),
    "greek": lambda word: word.translate(GREEK),
    "full width": shifted(0xFF41),
    "mathematical": shifted(0x1D51E),
    "circled": shifted(0x24D0),
    "squared": shifted(0x1F170),
    "regional": lambda word: "\u200b".join(shifted(0x1F1E6)(word)),
    "small capitals": lambda word: word.translate(SMALL_CAPS),
    "upside down": lambda word: word.translate(FLIPPED)[::-1],
    "combining marks": lambda word: "".join(f"{letter}\u0337\u0301" for letter in word),
    "zero width": lambda word: "\u200b".join(word),
    "soft hyphens": lambda word: "\u00ad".join(word),
    "variation selectors": lambda word: "\ufe0f".join(word),
    "tags": lambda word: "hello" + shifted(0xE0061)(word),
    "bidi override": lambda word: f"\u202e{word[::-1]}\u202c",
    "dots": ".".join,
    "dashes": "-".join,
    "spaced": " ".join,
    "stretched": lambda word: "".join(letter * 4 for letter in word),
    "plural": lambda word: f"{word}s",
    "hash tag": lambda word: f"#{word}",
    "compound": lambda word: f"#SuchA{word.title()}Fox",
    "name": lambda word: f"xx_{word}_99",
    "backwards": lambda word: word[::-1],
    "url": lambda word: "".join(f"%{ord(letter):02x}" for letter in word),
    "url, once more": lambda word: quote("".join(f"%{ord(letter):02x}" for letter in word)),
    "entities": lambda word: "".join(f"&#{ord(letter)};" for letter in word),
    "entities in hex": lambda word: "".join(f"&#x{ord(letter):x};" for letter in word),
    "escapes": lambda word: "".join(f"\\u{ord(letter):04x}" for letter in word),
    "base64": lambda word: base64.b64encode(f"you {word}".encode()).decode(),
    "base32": lambda word: base64.b32encode(f"you {word}".encode()).decode(),
    "hex": lambda word: word.encode().hex(" "),
    "bits": lambda word: " ".join(f"{ord(letter):08b}" for letter in word),
    "ascii codes": lambda word: " ".join(str(ord(letter)) for letter in word),
    "places": lambda word: "-".join(str(ord(letter) - ord("a") + 1) for letter in word),
    "rot13": lambda word: codecs.encode(word, "rot13"),
    "morse": lambda word: " ".join(MORSE[letter] for letter in word),
    "pig latin": pig_latin,
    "nato": lambda word: " ".join(NATO[letter] for letter in word),
    "as in": lambda word: ", ".join(f"{letter} as in {NATO[letter]}" for letter in word),
    "quoted parts": lambda word: f'"{word[:3]}" + "{word[3:]}"',
    "plus": lambda word: f"{word[:3]} plus {word[3:]}",
    "assigned": lambda word: f'x = "{word[:3]}", y = "{word[3:]}"; say x+y',
    "blank": lambda word: f"finish: {word[:-2]}__",
    "initials": lambda word: f"first letters only: {' '.join(f'{letter}oxes' for letter in word)}",
    "acrostic": lambda word: "\n".join(f"{letter.upper()}oxes run" for letter in word),
    "capitals": lambda word: " ".join(f"{letter.upper()}ox" for letter in word),
}


@cache
def rules() -> RuleSet:
    return load_rules(CHECKOUT / "configs" / "safety", family_mode=True).with_terms(WORDS)


@pytest.mark.parametrize("family", DISGUISES)
@pytest.mark.parametrize("word", WORDS)
def test_a_disguised_word_is_blocked(word: str, family: str) -> None:
    text = DISGUISES[family](word)
    assert rules().find(text, "output") is not None, text
    assert rules().find(text, "input") is not None, text


@pytest.mark.parametrize("family", DISGUISES)
def test_the_same_disguise_of_an_innocent_word_passes(family: str) -> None:
    assert rules().find(DISGUISES[family]("morning"), "output") is None, DISGUISES[family]("morning")
