"""What every bench script does alike: options, progress on stderr, a table or one JSON object, exit codes.

Exit codes: 0 measured, however slow; 1 could not measure; 2 wrong options.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from kitsu.errors import KitsuError

Figures = dict[str, float | int | str | bool | dict[str, float] | dict[str, dict[str, float | str]]]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    title: str
    figure: str  # name in `Figures`
    target: str = ""
    met: Callable[[float], bool] | None = None
    others: Sequence[str] = ()  # what was measured elsewhere, one cell per column


@dataclass(frozen=True, slots=True)
class Report:
    """What a script found out."""

    figures: Figures
    lines: Sequence[Line]
    columns: Sequence[str] = field(default=())  # heads of `Line.others`


def parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser with the options that every script has."""
    made = argparse.ArgumentParser(description=(doc or "").partition("\n\n")[0])
    made.add_argument("--json", action="store_true", help="end with one JSON object of named figures")
    made.add_argument("--quick", action="store_true", help="fewer repetitions: a look, not a measurement")
    return made


def run(measuring: Awaitable[Report], *, as_json: bool) -> int:
    """Measure and print."""

    async def measure() -> None:
        report = await measuring
        print(json.dumps(report.figures | machine()) if as_json else table(report))

    return exit_code(measure())


def exit_code(work: Coroutine[Any, Any, None]) -> int:
    """Run `work`; 1 and a line on stderr when it could not be done."""
    code = 0
    try:
        asyncio.run(work)
    except* (KitsuError, OSError) as group:  # OSError: a process of the show is gone
        for error in _leaves(group):
            progress(f"could not measure: {error}")
        code = 1
    return code


def progress(text: str) -> None:
    """One line for whoever waits."""
    print(text, file=sys.stderr, flush=True)


def machine() -> Figures:
    """What a figure is worth depends on this."""
    known: Figures = {
        "cpu_count": os.cpu_count() or 0,
        "python_version": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
    return known | ({"load_1min": round(os.getloadavg()[0], 2)} if hasattr(os, "getloadavg") else {})


def table(report: Report) -> str:
    """Figure, target and what others reach, in columns."""
    rows = [["", "measured", "target", "", *report.columns]]
    for line in report.lines:
        value = report.figures[line.figure]
        assert isinstance(value, int | float)
        verdict = "" if line.met is None else "ok" if line.met(value) else "missed"
        rows.append([line.title, plain(value), line.target, verdict, *line.others])
    widths = [max(len(row[n]) for row in rows if n < len(row)) for n in range(len(rows[0]))]
    aligned = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows)
    return "\n".join(aligned)


def plain(value: float) -> str:
    """A figure with as many digits as it deserves."""
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def at_most(limit: float) -> Callable[[float], bool]:
    """Met when not above `limit`."""
    return lambda value: value <= limit


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for one in error.exceptions for leaf in _leaves(one)]
    return [error]
