"""RE2 patterns, and the sums that tell a card number from any other."""

import ipaddress
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import re2

from kitsu.safety.views import View

CheckName = Literal["", "luhn", "public_ip", "phone", "iban_inside"]
ViewName = Literal["plain", "heard", "mended"]
_COUNTED = re.compile(r"(\\C|\[\^(?:\\.|[^\]\\])*\])\{\d+,\d+\}")
AS_READ: frozenset[ViewName] = frozenset({"plain", "mended"})
"""The views of rules about what is said. Rules about numbers read what is written: `plain`, `heard`."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One rule: found, passed by its check, and not excused by `unless` anywhere in the text."""

    name: str
    views: frozenset[ViewName]
    regexp: str
    unless: str = ""
    check: CheckName = ""
    level: int = 1  # of strictness, from which it counts
    stages: frozenset[str] = frozenset({"input", "output"})

    @property
    def hint(self) -> str:
        """A simpler pattern, found wherever this one is: gaps of any length need no counting."""
        return _COUNTED.sub(r"\1*", self.regexp)

    def find(self, view: View) -> tuple[int, int] | None:
        """Where it is found in `view.data`, if it is."""
        check = _CHECKS[self.check]
        for found in _compiled(self.regexp).finditer(view.data):
            start, end = found.span()
            if check(view.data[start:end].decode("utf-8", "replace")):
                return None if self.unless and _compiled(self.unless).search(view.data) else (start, end)
        return None


def checked(pattern: str) -> str:
    """The pattern itself, when it is one. Patterns see folded, lower-case text.

    Raises:
        re2.error: not an RE2 pattern.
    """
    try:
        re2.Set.SearchSet(_options()).Add(pattern)  # only parses it: a fraction of the time that an automaton takes
    except re2.error:
        re2.compile(pattern, _options())  # says what is wrong
        raise
    return pattern


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> "re2._Regexp":
    """A linear-time automaton, made when a sieve first found its pattern in a text: most are never needed."""
    return re2.compile(pattern, _options())


def _options() -> "re2.Options":
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    return options


def luhn(text: str) -> bool:
    """Whether the digits in `text` are a payment card number: 13 to 19, with the check digit of ISO/IEC 7812-1."""
    digits = [int(char) for char in text if char.isascii() and char.isdigit()]
    if not 13 <= len(digits) <= 19 or not any(digits):
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def public_ip(text: str) -> bool:
    """Whether `text` could be an address that leads to someone: not 127.0.0.1, 192.168.… or another local one."""
    try:
        address = ipaddress.ip_address(text.strip(" \t.,;!?()[]"))
    except ValueError:
        return False
    return address.is_global or any(
        address in network for network in _LOOK_PUBLIC if network.version == address.version
    )


_LOOK_PUBLIC = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")))
"""Addresses of documentation (RFC 5737, RFC 3849): nobody's, but said as if they were somebody's."""


def iban_inside(text: str) -> bool:
    """Whether `text` begins with an account number that has the right check digits (ISO 13616: modulo 97 is 1)."""
    compact = "".join(char for char in text.upper() if char.isascii() and char.isalnum())
    shortest, longest = 15, 34  # of any country
    return any(_mod97(compact[:length]) == 1 for length in range(shortest, min(len(compact), longest) + 1))


def _mod97(account: str) -> int:
    return int("".join(str(int(char, 36)) for char in account[4:] + account[:4])) % 97


def phone(text: str) -> bool:
    """Whether the digits could be dialled: 7 to 15 of them (ITU-T E.164), and not someone counting up or down."""
    digits = [int(char) for char in text if char.isascii() and char.isdigit()]
    steps = {b - a for a, b in itertools.pairwise(digits)}
    return 7 <= len(digits) <= 15 and not steps <= {1, -9} and not steps <= {-1, 9} and steps != {0}


_CHECKS: dict[CheckName, Callable[[str], bool]] = {
    "": bool,
    "luhn": luhn,
    "public_ip": public_ip,
    "phone": phone,
    "iban_inside": iban_inside,
}
