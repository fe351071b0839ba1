"""One JSON log a service, rotated by day and size. Names and places: `kitsu.telemetry.files`."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

from kitsu.telemetry.files import LOG_NAME, log_files

KEEP_FILES = 50  # per service, whatever its age: a service that floods its log must not fill the disk


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
            if (match := LOG_NAME.fullmatch(path.name)) and match["day"] == self._day.isoformat():
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
            match = LOG_NAME.fullmatch(path.name)
            if match and (match["day"] < oldest or place < len(files) - KEEP_FILES):
                path.unlink(missing_ok=True)
