"""Codes for letters that machines use, and a few that people do: each finds its own and says what it means."""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import unquote


class Piece(NamedTuple):
    """Code points `start:end` of a text mean `text`."""

    start: int
    end: int
    text: str


_URL = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_HTML = re.compile(r"(?:&(?:#\d{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z]{2,8});?)+")
_ESCAPES = re.compile(r"(?:\\?[uU]\+?\{?00[0-9A-Fa-f]{2}\}?[ ,]?|\\x[0-9A-Fa-f]{2}[ ,]?){2,}")
_ESCAPE = re.compile(r"00([0-9A-Fa-f]{2})|x([0-9A-Fa-f]{2})")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{6,}={0,2}")
_BASE32 = re.compile(r"(?<![A-Z2-7])[A-Z2-7]{8,}={0,6}")
_HEX = re.compile(r"(?<!\w)(?:0x)?[0-9A-Fa-f]{2}(?:[ :,-]?(?:0x)?[0-9A-Fa-f]{2}){2,}(?!\w)")
_HEX_BYTE = re.compile(r"(?:0x)?([0-9A-Fa-f]{2})")
_BITS = re.compile(r"(?<!\d)[01]{7,8}(?:[ ,]?[01]{7,8}){2,}(?!\d)")
_CODES = re.compile(r"(?<![\d.])\d{2,3}(?:[ ,-]{1,2}\d{2,3}){2,}(?![\d.])")
_PLACES = re.compile(r"(?<![\d.])\d{1,2}(?:[ ,-]{1,2}\d{1,2}){2,}(?![\d.])")
_NUMBER = re.compile(r"\d+")
_MORSE = re.compile(r"(?<![\w.])[.·•−–—_-]{1,6}(?:[ /|]{1,3}[.·•−–—_-]{1,6}){2,}")
_TAGS = re.compile("\U0001f3f4?[\U000e0020-\U000e007f]+")
_DASHES = str.maketrans("·•−–—_", "..----")
_SIGNALS = ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.."
_MORSE_LETTERS = dict(zip(_SIGNALS.split(), "abcdefghijklmnopqrstuvwxyz", strict=True))
_FIRST_PRINTABLE, _LAST_PRINTABLE = 32, 126
_ALPHABET = 26


def url(text: str) -> Iterator[Piece]:
    """`%66%75` (RFC 3986)."""
    return (Piece(*found.span(), unquote(found.group(), errors="replace")) for found in _URL.finditer(text))


def entities(text: str) -> Iterator[Piece]:
    """`&#102;`, `&amp;` (HTML character references)."""
    return (Piece(*found.span(), html.unescape(found.group())) for found in _HTML.finditer(text))


def escapes(text: str) -> Iterator[Piece]:
    r"""`\\u0066`, `U+0066`, `\\x66`."""
    for found in _ESCAPES.finditer(text):
        codes = (one or other for one, other in _ESCAPE.findall(found.group()))
        yield Piece(*found.span(), "".join(chr(int(code, 16)) for code in codes))


def base64_(text: str) -> Iterator[Piece]:
    """RFC 4648, both alphabets, with or without padding."""
    for found in _BASE64.finditer(text):
        if found.group().islower() or found.group().istitle():
            continue  # a word
        token = found.group().rstrip("=").replace("-", "+").replace("_", "/")
        yield from _printable(found, base64.b64decode, token + "=" * (-len(token) % 4))


def base32(text: str) -> Iterator[Piece]:
    """RFC 4648."""
    for found in _BASE32.finditer(text):
        token = found.group().rstrip("=")
        yield from _printable(found, base64.b32decode, token + "=" * (-len(token) % 8))


def hexadecimal(text: str) -> Iterator[Piece]:
    """`66 75`, `0x66`, `6675`."""
    for found in _HEX.finditer(text):
        digits = "".join(_HEX_BYTE.findall(found.group()))
        yield from _printable(found, bytes.fromhex, digits)


def bits(text: str) -> Iterator[Piece]:
    """`01100110 01110101`."""
    for found in _BITS.finditer(text):
        yield from _printable(found, _from_bits, found.group())


def codes(text: str) -> Iterator[Piece]:
    """`102 117`: ASCII in decimal."""
    for found in _CODES.finditer(text):
        numbers = [int(number) for number in _NUMBER.findall(found.group())]
        if all(_FIRST_PRINTABLE <= number <= _LAST_PRINTABLE for number in numbers):
            yield Piece(*found.span(), "".join(map(chr, numbers)))


def places(text: str) -> Iterator[Piece]:
    """`6-21-3`: places in the alphabet."""
    for found in _PLACES.finditer(text):
        numbers = [int(number) for number in _NUMBER.findall(found.group())]
        if all(1 <= number <= _ALPHABET for number in numbers):
            yield Piece(*found.span(), "".join(chr(ord("a") + number - 1) for number in numbers))


def morse(text: str) -> Iterator[Piece]:
    """`..-. ..-`, words apart by a slash (ITU-R M.1677-1, letters only)."""
    for found in _MORSE.finditer(text):
        words = re.split(r" ?[/|] ?|  +", found.group().translate(_DASHES))
        letters = [[_MORSE_LETTERS.get(signal, "?") for signal in word.split()] for word in words]
        yield Piece(*found.span(), " ".join("".join(word) for word in letters))


def tags(text: str) -> Iterator[Piece]:
    """Invisible tag characters, each a hidden ASCII character; behind a black flag they belong to an emoji."""
    for found in _TAGS.finditer(text):
        if found.group()[0] != "\U0001f3f4":
            yield Piece(*found.span(), " " + "".join(chr(ord(char) - 0xE0000) for char in found.group()))


def _from_bits(digits: str) -> bytes:
    return bytes(int(group, 2) for group in re.findall(r"[01]{8}|[01]{7}", digits))


def _printable(found: re.Match[str], decode: Callable[[str], bytes], code: str) -> Iterator[Piece]:
    """What `code` means, if somebody could have meant it."""
    try:
        text = decode(code).decode()
    except (binascii.Error, ValueError):
        return
    if text.isprintable() and any(map(str.isalpha, text)):
        yield Piece(*found.span(), text)
