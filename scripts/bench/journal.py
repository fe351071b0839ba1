"""What the mock engines saw and when, as JSON lines in a file that the driver follows.

Times are `time.perf_counter()`, one clock for all processes of a machine: CLOCK_MONOTONIC on Linux, the performance
counter on Windows.
"""

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Row = dict[str, Any]  # "ev": req | tok | chunk | end | gone, "t": s, "id": request, …


class Journal:
    """The writing end; a mock without a file writes nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8") if path else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def note(self, event: str, at: float | None = None, **values: object) -> None:
        """One event; `at`: s, now if None."""
        if self._file:
            row = {"ev": event, "t": time.perf_counter() if at is None else at, **values}
            self._file.write(json.dumps(row) + "\n")


class Follower:
    """The reading end."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open(encoding="utf-8")
        self._rows: list[Row] = []
        self._part = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def rows(self, after: int = 0) -> list[Row]:
        """All rows written so far, without the first `after` ones."""
        *whole, self._part = (self._part + self._file.read()).split("\n")
        self._rows += [json.loads(line) for line in whole if line]
        return self._rows[after:]

    def __len__(self) -> int:
        return len(self.rows())
