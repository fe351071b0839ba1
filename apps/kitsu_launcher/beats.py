"""What a service says on stdout and stderr. Pure: bytes in, facts out; nothing that a child writes can raise."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

MAX_LINE_BYTES = 64 << 10
MAX_REASON = 300
_STATES = ("ok", "degraded", "failed")


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat."""

    ready: bool
    state: Literal["ok", "degraded", "failed"]
    reason: str


def printable(text: str, limit: int = MAX_REASON) -> str:
    """One line for people: no control characters, at most `limit` characters."""
    clean = "".join(c if c.isprintable() else " " for c in text).strip()
    return clean if len(clean) <= limit else clean[: limit - 1] + "…"


def parse_beat(line: bytes) -> Beat | None:
    """The heartbeat in one line of stdout; None when it is something else."""
    data = _object(line)
    if data is None:
        return None
    ready, state, reason = data.get("ready"), data.get("state"), data.get("reason", "")
    if not isinstance(ready, bool) or state not in _STATES or not isinstance(reason, str):
        return None
    return Beat(ready, state, printable(reason))


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a log: always a JSON object."""

    text: str
    failure: str  # what went wrong, in words; empty for a line that tells of no error


def parse_log(service: str, line: bytes, event: str = "stderr") -> LogLine:
    """A line of stderr as it goes to the log: JSON objects as they are, anything else wrapped into one."""
    data = _object(line)
    text = line.decode("utf-8", "replace").replace("\r", " ").rstrip()
    if data is None:
        wrapped = {"ts": _now(), "level": "ERROR", "service": service, "event": event, "text": text}
        return LogLine(json.dumps(wrapped, ensure_ascii=False), printable(text) if event == "stderr" else "")
    failed = str(data.get("level", "")).upper() in {"ERROR", "CRITICAL"}
    said = str(data.get("message") or data.get("event") or "")
    return LogLine(text, printable(said) if failed else "")


class Lines:
    """Cuts a stream into lines. What goes beyond `limit` bytes in one line is dropped, so memory stays bounded."""

    def __init__(self, limit: int = MAX_LINE_BYTES) -> None:
        self._limit = limit
        self._kept = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that `data` completes."""
        *complete, rest = (self._kept + data).split(b"\n")
        done = [line[: self._limit] for line in complete[self._skipping :] if line.strip()]
        if complete:
            self._skipping = False
        self._kept = b"" if self._skipping else rest
        if len(self._kept) > self._limit:
            done.append(self._kept[: self._limit])
            self._kept, self._skipping = b"", True
        return done

    def finish(self) -> list[bytes]:
        """What stood after the last line break."""
        rest, self._kept = self._kept, b""
        return [rest] if rest.strip() else []


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _now() -> str:
    return datetime.now(UTC).isoformat()
