"""What a rehearsal shows: a row for everything that somebody did, and what bears it out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

HAPPENED_COLUMNS = 64  # more of it is in the JSON
HEAD = ("what", "who", "what happened", "confirmed by", "ms", "")


@dataclass(frozen=True, slots=True)
class Seen:
    """One sign that something has happened, by somebody other than those who did it."""

    by: str  # "OBS", "reply", …
    at: float | None  # s, monotonic; None: looked up afterwards, so that its time says nothing
    what: str = ""  # in words; empty: that it came says enough


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that somebody did."""

    what: str
    who: str
    happened: str
    confirmed_by: tuple[str, ...]
    ms: float  # done -> the last of its confirmations
    expected: bool  # all of them came
    command: str = ""  # its name in configs/commands.yaml; empty: something else than a command
    role: str = ""


def report(rows: Sequence[Row]) -> dict[str, Any]:
    """All of it, for programs."""
    kept = [
        {
            "what": row.what,
            "who": row.who,
            "command": row.command,
            "role": row.role,
            "happened": row.happened,
            "confirmed_by": list(row.confirmed_by),
            "ms": row.ms,
            "expected": row.expected,
        }
        for row in rows
    ]
    return {"rows": kept, "as_expected": sum(row.expected for row in rows), "unexpected": len(unexpected(rows))}


def unexpected(rows: Iterable[Row]) -> list[Row]:
    """What went otherwise."""
    return [row for row in rows if not row.expected]


def table(rows: Sequence[Row]) -> str:
    """All of it, for people."""
    cells = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def _cells(row: Row) -> tuple[str, ...]:
    happened = row.happened if len(row.happened) <= HAPPENED_COLUMNS else row.happened[: HAPPENED_COLUMNS - 2] + " …"
    return (
        row.what,
        row.who,
        happened,
        ", ".join(row.confirmed_by),
        f"{row.ms:.0f}",
        "" if row.expected else "UNEXPECTED",
    )
