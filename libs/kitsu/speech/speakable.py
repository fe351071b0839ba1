"""Which characters can be spoken."""

import re
import unicodedata
from functools import lru_cache

MAX_MARKS = 4
"""Combining marks that one letter may carry; more is decoration that breaks out of its line."""

PLAIN = re.compile(r"""(?:[^\W_]+|[ \n,.!?;:'"()…—–&%$€£/=+@#>{}^’‘“”«»¿¡、。！？，；：-]+)+""")
"""Runs of characters that need no second look."""

_SYMBOLS = frozenset("°×÷±")
_PRESENTATION = range(0xFE00, 0xFE10)  # variation selectors


@lru_cache(maxsize=4096)
def spoken_form(char: str) -> str | None:
    """What a character outside PLAIN becomes.

    Returns:
        The character itself, a space or a newline; "" for what nobody can see (controls, joiners, directions); None for
        pictures and other symbols.
    """
    category = unicodedata.category(char)
    if char in "\n\u2028\u2029\u0085":
        return "\n"
    if char in "\t\v\f" or category == "Zs":
        return " "
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Me") or ord(char) in _PRESENTATION:
        return ""
    if category[0] in "LNM" or category in ("Sc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po") or char in _SYMBOLS:
        return char
    return None


def is_mark(char: str) -> bool:
    """Whether this is a combining mark."""
    return unicodedata.combining(char) != 0 or unicodedata.category(char) in ("Mn", "Mc")
