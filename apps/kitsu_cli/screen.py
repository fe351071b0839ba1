"""What people see: calm lines that fit 100 columns; colours only on a terminal, and never the only sign."""

import json
import sys
import textwrap
import time
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

WIDTH = 100
Piece = tuple[str, str]  # text, style ("" for plain)
Line = Sequence[Piece]

STATES: dict[str, tuple[str, str]] = {  # state -> sign, style
    "ok": ("✓", "green"),
    "off": ("–", "bright_black"),
    "broken": ("✗", "bold red"),
    "degraded": ("!", "yellow"),
    "failed": ("✗", "bold red"),
    "missing": ("✗", "bold red"),
    "waiting": ("↻", "yellow"),
    "starting": ("…", "yellow"),
    "stopping": ("…", "yellow"),
    "stopped": ("–", "bright_black"),
}


def write(lines: Iterable[Line]) -> None:
    """Print lines, coloured on a terminal."""
    if not sys.stdout.isatty():
        for line in lines:
            print("".join(text for text, _ in line).rstrip())
        sys.stdout.flush()
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*line))


def write_note(lines: Iterable[str]) -> None:
    """Print what is read in passing, to stderr."""
    for line in lines:
        sys.stderr.write(f"{plain(line)}\n")
    sys.stderr.flush()


def write_json(data: Any, *, indent: int | None = None) -> None:
    """Print one JSON object."""
    print(json.dumps(data, ensure_ascii=False, indent=indent))


def state_piece(state: str) -> Piece:
    """A state as sign and word, padded for a table."""
    sign, style = STATES.get(state, ("?", ""))
    return f"{sign} {state}".ljust(12), style


def plain(text: str) -> str:
    """On one line, without anything that could move a terminal's cursor."""
    return "".join(c if c.isprintable() else " " for c in text)


def wrap(text: str, width: int) -> list[str]:
    """As lines of at most `width` columns; one empty line when there is nothing to say."""
    return textwrap.wrap(plain(text), width, break_on_hyphens=False) or [""]


def fit(text: str, width: int) -> str:
    """Cut or pad to exactly `width` columns, on one line."""
    clean = plain(text)
    return clean.ljust(width) if len(clean) <= width else clean[: width - 1] + "…"


def duration(seconds: float) -> str:
    """`42 s`, `3 m 20 s`, `5 h 12 m`, `2 d 3 h`."""
    whole = int(seconds)
    for unit, size, smaller, part in (("d", 86_400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {smaller}"
    return f"{whole} s"


class Steps:
    """Progress: one line a step with the time; on a terminal also a bar. Silent when `quiet`."""

    def __init__(self, title: str, total: int, *, quiet: bool = False) -> None:
        self._title = title
        self._total = total
        self._quiet = quiet
        self._began = time.perf_counter()
        self._bar: Any = None

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(40),
                TextColumn("{task.completed:.0f}/{task.total:.0f}"),
                console=Console(stderr=True, highlight=False),
                transient=True,
            )
            self._bar.add_task(self._title, total=self._total)
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def done(self, what: str) -> None:
        """One step more."""
        if self._quiet:
            return
        line = f"{time.perf_counter() - self._began:6.1f} s  {what}"
        if self._bar is None:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()
        else:
            self._bar.console.print(line)
            self._bar.advance(self._bar.task_ids[0])
