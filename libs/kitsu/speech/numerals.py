"""Numbers as they are said, in English and German. The words come from num2words; which number is which, from here."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

from num2words import num2words

Language = Literal["en", "de"]

SPELLED_FROM = 10  # digits: longer ones are told one by one, as are those that begin with 0
YEARS = range(1100, 2100)
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_MAGNITUDES = {"k": 10**3, "m": 10**6, "b": 10**9}
_UNITS: dict[Language, dict[str, str]] = {
    "en": {
        "%": "percent", "°": "degrees", "°C": "degrees Celsius", "°F": "degrees Fahrenheit",
        "km/h": "kilometres an hour",
        "mph": "miles an hour", "km": "kilometres", "kg": "kilograms", "cm": "centimetres", "mm": "millimetres",
        "ms": "milliseconds", "GHz": "gigahertz", "MHz": "megahertz", "Hz": "hertz", "GB": "gigabytes",
        "MB": "megabytes", "kB": "kilobytes", "TB": "terabytes", "fps": "frames a second", "px": "pixels", "x": "times",
    },
    "de": {
        "%": "Prozent", "°": "Grad", "°C": "Grad Celsius", "°F": "Grad Fahrenheit", "km/h": "Kilometer pro Stunde",
        "km": "Kilometer", "kg": "Kilogramm", "cm": "Zentimeter", "mm": "Millimeter", "ms": "Millisekunden",
        "GHz": "Gigahertz", "MHz": "Megahertz", "Hz": "Hertz", "GB": "Gigabyte", "MB": "Megabyte", "kB": "Kilobyte",
        "TB": "Terabyte", "fps": "Bilder pro Sekunde", "px": "Pixel", "x": "mal",
    },
}  # fmt: skip

_UNIT = "|".join(sorted((re.escape(unit) for units in _UNITS.values() for unit in units), key=len, reverse=True))
_PLAIN = r"\d{1,3}(?:[,.]\d{3})+(?:[.,]\d{1,2})?(?![\d])|\d+(?:[.,]\d+)?"

_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_DOT: dict[Language, str] = {"en": "dot", "de": "Punkt"}

Say = Callable[[re.Match[str], Language], str]


def number(text: str, language: Language) -> str:
    """One number: `1,234.5`, `1.234,5`, `007`, `3.14`."""
    if text.isdecimal() and (len(text) >= SPELLED_FROM or (text[0] == "0" and len(text) > 1)):
        return digits(text, language)
    if _ADDRESS.fullmatch(text):
        return f" {_DOT[language]} ".join(number(group, language) for group in text.split("."))
    return _words(_value(text, language), language)


def digits(text: str, language: Language) -> str:
    """Each digit on its own."""
    return " ".join(_words(Decimal(digit), language) for digit in text if digit.isdecimal())


def _value(text: str, language: Language) -> Decimal:
    thousands, point = (",", ".") if language == "en" else (".", ",")
    if re.fullmatch(rf"\d{{1,3}}(?:\{thousands}\d{{3}})+(?:\{point}\d+)?", text):
        text = text.replace(thousands, "")
    elif re.fullmatch(rf"\d{{1,3}}(?:\{point}\d{{3}}){{2,}}", text):  # the other country's thousands
        text = text.replace(point, "")
    whole, last, rest = _cut(text)
    return Decimal(f"{whole}.{rest}" if last else whole)


def _cut(text: str) -> tuple[str, str, str]:
    """At the last comma or point; those before it only part thousands, whatever country's they are."""
    at = max(text.rfind("."), text.rfind(","))
    if at < 0:
        return text, "", ""
    return text[:at].replace(".", "").replace(",", ""), text[at], text[at + 1 :]


def _words(value: Decimal, language: Language, **kind: str) -> str:
    plain = int(value) if value == value.to_integral_value() and not kind.get("currency") else value
    words: str = num2words(plain if isinstance(plain, int) else float(plain), lang=language, **kind)
    return words


def _year(found: re.Match[str], language: Language) -> str:
    value = int(found[0])
    return _words(Decimal(value), language, to="year") if value in YEARS else number(found[0], language)


def _currency(found: re.Match[str], language: Language) -> str:
    sign = found["sign"] or found["sign2"]
    value = _value(found["amount"] or found["amount2"], language)
    scale = (found["scale"] or "").lower()
    value *= _MAGNITUDES.get(scale, 1)
    if scale or sign == "¥" or value >= 10**12:
        unit = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen"}[sign] if language == "en" else {
            "$": "Dollar", "€": "Euro", "£": "Pfund", "¥": "Yen"}[sign]  # fmt: skip
        return f"{_words(value, language)} {unit}"
    words = _words(value, language, to="currency", currency=_CURRENCIES[sign])
    return re.sub(r",? (?:and |und )?(?:zero|null) (?:cents|Cent|pence|Pence)$", "", words)


def _time(found: re.Match[str], language: Language) -> str:
    hour, minute = int(found["hour"]), int(found["minute"])
    if hour > 24 or minute > 59:
        return f"{number(found['hour'], language)} {number(found['minute'], language)}"
    half = (found["half"] or "").lower().replace(".", "").strip()
    if language == "de":
        return f"{_words(Decimal(hour), 'de')} Uhr" + (f" {_words(Decimal(minute), 'de')}" if minute else "")
    said = _words(Decimal(hour), "en")
    if minute:
        said += f" {'oh ' if minute < 10 else ''}{_words(Decimal(minute), 'en')}"
    elif not half:
        said += " o'clock" if 1 <= hour <= 12 else " hundred"
    return said + (f" {half[0]} m" if half else "")


def _ordinal(found: re.Match[str], language: Language) -> str:
    return _words(Decimal(found["nth"]), language, to="ordinal")


def _with_unit(found: re.Match[str], language: Language) -> str:
    unit = found["unit"]
    word = _UNITS[language].get(unit, unit)
    value = number(found["count"], language)
    return f"{value} {word}"


def _scaled(found: re.Match[str], language: Language) -> str:
    value = _value(found["base"], language) * _MAGNITUDES[found["size"].lower()]
    return _words(value, language)


def _range(found: re.Match[str], language: Language) -> str:
    return f"{number(found['low'], language)} {'to' if language == 'en' else 'bis'} {number(found['high'], language)}"


_NOT_IN_WORD = r"(?<![\w.,:-])"
PATTERNS: tuple[tuple[str, Say], ...] = (
    (rf"{_NOT_IN_WORD}(?P<hour>\d{{1,2}}):(?P<minute>\d{{2}})(?P<half> ?[AaPp]\.?[Mm]\.?)?(?![\w:])", _time),
    (
        rf"{_NOT_IN_WORD}(?P<sign>[$€£¥]) ?(?P<amount>{_PLAIN})(?P<scale>[kKmMbB])?(?!\w)"
        rf"|{_NOT_IN_WORD}(?P<amount2>{_PLAIN}) ?(?P<sign2>[€£¥$])(?!\w)",
        _currency,
    ),
    (rf"{_NOT_IN_WORD}(?P<nth>\d{{1,6}})(?:st|nd|rd|th)(?!\w)", _ordinal),
    (rf"{_NOT_IN_WORD}(?P<low>\d{{1,6}})[–-](?P<high>\d{{1,6}})(?![\w-])", _range),
    (rf"{_NOT_IN_WORD}(?P<count>{_PLAIN}) ?(?P<unit>{_UNIT})(?!\w)", _with_unit),
    (rf"{_NOT_IN_WORD}(?P<base>\d+(?:[.,]\d+)?)(?P<size>[kKmMbB])(?!\w)", _scaled),
    (rf"{_NOT_IN_WORD}(?P<year>1[1-9]\d\d|20\d\d)(?![\w%]|[.,]\d)", _year),
    (rf"(?<!\w)(?P<number>{_PLAIN})(?!\w)", lambda found, language: number(found["number"], language)),
)
"""What to look for, in this order, and how to say it. The groups' names are unique over all of them."""
