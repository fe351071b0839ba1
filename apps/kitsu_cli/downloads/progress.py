"""How far downloads are: bars on a terminal, now and then a line otherwise."""

import sys
import time
from types import TracebackType
from typing import Any, Self

from kitsu_cli.downloads.trouble import megabytes

EVERY_S = 10.0


class Progress:
    """Says nothing at all when `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._told: dict[str, float] = {}  # label -> when its last line was written; inf: it is done

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn, TransferSpeedColumn
            from rich.progress import Progress as Bars

            self._bars = Bars(
                TextColumn("{task.description}"),
                BarColumn(24),
                DownloadColumn(),
                TransferSpeedColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True, highlight=False),
            )
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def show(self, label: str, done: int, total: int) -> None:
        """`done` of `total` bytes of the file `label` are here."""
        if self._quiet:
            return
        if self._bars is None:
            self._tell(label, done, total)
            return
        if label not in self._tasks:
            self._tasks[label] = self._bars.add_task(label[:38], total=total)
        self._bars.update(self._tasks[label], completed=done, total=total)

    def _tell(self, label: str, done: int, total: int) -> None:
        now = time.monotonic()
        last = self._told.get(label)
        if last is not None and done < total and now - last < EVERY_S:
            return
        if last == float("inf"):
            return
        self._told[label] = float("inf") if done >= total else now
        share = f"{100 * done // max(total, 1)} %" if done < total else "complete"
        sys.stderr.write(f"{label}  {megabytes(total)}  {share}\n")
        sys.stderr.flush()
