"""One row of the doctor's table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "off", "broken"]
"""off: not there or not used, and nothing that is configured needs it. broken: it stops something; exit code 1."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it is, and what helps."""

    check: str
    state: State
    found: str
    do: str = ""


def ok_if(good: bool, otherwise: State = "broken") -> State:
    """ok, or what it is otherwise."""
    return "ok" if good else otherwise


Check = Callable[[], Sequence[Finding]]
