"""Reading the services' logs, for people."""

import json
from pathlib import Path
from typing import Any

from kitsu.telemetry.files import LOG_NAME, log_files

_KNOWN = ("ts", "level", "service", "event", "logger", "exc_info")
CHUNK_BYTES = 1 << 20


class Follower:
    """New lines of all log files, across rotation."""

    def __init__(self, folder: Path, service: str | None) -> None:
        self._folder = folder
        self._service = service
        self._offsets: dict[Path, int] = {}

    def skip_to_end(self) -> None:
        """Only what comes from now on."""
        self._offsets = {path: path.stat().st_size for path in log_files(self._folder, self._service)}

    def new(self) -> list[dict[str, Any]]:
        """Complete lines since the last call, in order of time."""
        return sorted(
            (entry for path in log_files(self._folder, self._service) for entry in self._read(path)), key=_time
        )

    def _read(self, path: Path) -> list[dict[str, Any]]:
        with path.open("rb") as file:
            file.seek(self._offsets.get(path, 0))
            data = file.read(CHUNK_BYTES)
        complete = data[: data.rfind(b"\n") + 1]
        self._offsets[path] = self._offsets.get(path, 0) + len(complete)
        return [parse(line, path) for line in complete.splitlines()]


def last(folder: Path, service: str | None, count: int) -> list[dict[str, Any]]:
    """The newest `count` lines, oldest first."""
    names = {match["service"] for path in log_files(folder, service) if (match := LOG_NAME.fullmatch(path.name))}
    entries = [entry for name in names for entry in _tail(log_files(folder, name), count)]
    return sorted(entries, key=_time)[-count:] if count else []


def _tail(files: list[Path], count: int) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for path in reversed(files):
        if len(lines) >= count:
            break
        text = path.read_bytes().splitlines()
        lines = [parse(line, path) for line in text[-(count - len(lines)) :]] + lines
    return lines


def parse(line: bytes, path: Path) -> dict[str, Any]:
    """One line of a log; a broken one (the disk was full) still counts as a line."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        data = None
    match = LOG_NAME.fullmatch(path.name)
    service = match["service"] if match else "?"
    return {"service": service} | (data if isinstance(data, dict) else {"event": line.decode("utf-8", "replace")})


def render(entry: dict[str, Any]) -> str:
    """`12:34:56 tts INFO voice.ready engine=espeak`; nothing in it can move a terminal's cursor."""
    stamp = str(entry.get("ts", ""))[11:19] or "        "
    rest = " ".join(f"{key}={value}" for key, value in entry.items() if key not in _KNOWN)
    head = f"{stamp} {entry.get('service', '?')!s:<13}{entry.get('level', '')!s:<8}{entry.get('event', '')}"
    trace = entry.get("exc_info")
    lines = [f"{head} {rest}".rstrip(), *(str(trace).splitlines() if trace else ())]
    return "\n".join(_plain(line) for line in lines)


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _time(entry: dict[str, Any]) -> str:
    return str(entry.get("ts", ""))
