"""One JSON log a service: `<service>-2026-01-31.jsonl`, then `.1.jsonl`, `.2.jsonl` … when a day's file is full."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

KEEP_FILES = 50  # per service, whatever its age: a service that floods its log must not fill the disk
_NAME = re.compile(r"(?P<service>[a-z_]+)-(?P<day>\d{4}-\d{2}-\d{2})(?:\.(?P<number>\d+))?\.jsonl")


def log_files(folder: Path, service: str | None = None) -> list[Path]:
    """Log files, oldest first; of one service or of all."""
    found = [(m, path) for path in folder.glob("*.jsonl") if (m := _NAME.fullmatch(path.name))]
    wanted = [(m["day"], int(m["number"] or 0), path) for m, path in found if service in (None, m["service"])]
    return [path for _, _, path in sorted(wanted)]


class ServiceLog:
    """Appends to the current file; rotates by day and size; removes what is too old. Never raises for a full disk."""

    def __init__(
        self,
        folder: Path,
        service: str,
        *,
        max_bytes: int,
        keep_days: int,
        today: Callable[[], date] = date.today,
    ) -> None:
        self._folder = folder
        self._service = service
        self._max_bytes = max_bytes
        self._keep_days = keep_days
        self._today = today
        self._day = date.min
        self._file: TextIO | None = None
        self.lost = 0  # lines that could not be written

    def write(self, line: str) -> None:
        """Append one line (without its line break)."""
        try:
            file = self._current(len(line.encode("utf-8", "replace")) + 1)
            file.write(line + "\n")
            file.flush()
        except OSError:
            self.lost += 1
            self.close()

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError:
                self.lost += 1

    def _current(self, size: int) -> TextIO:
        today = self._today()
        full = self._file is not None and self._file.tell() + size > self._max_bytes
        if self._file is None or full or today != self._day:
            self.close()
            self._day = today
            self._file = self._open(size)
            self._forget()
        return self._file

    def _open(self, size: int) -> TextIO:
        number = 0
        for path in log_files(self._folder, self._service):
            if (match := _NAME.fullmatch(path.name)) and match["day"] == self._day.isoformat():
                number = int(match["number"] or 0)
        path = self._path(number)
        if path.exists() and path.stat().st_size + size > self._max_bytes:
            path = self._path(number + 1)
        return path.open("a", encoding="utf-8", errors="replace")

    def _path(self, number: int) -> Path:
        suffix = f".{number}" if number else ""
        return self._folder / f"{self._service}-{self._day.isoformat()}{suffix}.jsonl"

    def _forget(self) -> None:
        oldest = (self._day - timedelta(days=self._keep_days)).isoformat()
        files = log_files(self._folder, self._service)
        for place, path in enumerate(files):
            match = _NAME.fullmatch(path.name)
            if match and (match["day"] < oldest or place < len(files) - KEEP_FILES):
                path.unlink(missing_ok=True)
