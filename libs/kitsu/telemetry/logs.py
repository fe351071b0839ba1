"""Logs: static event names plus key-values, one JSON object a line on stderr. The launcher writes the files."""

import logging
import sys
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from kitsu.config import LogSettings, load

_RESERVED = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}


class Log:
    """`log.info("turn.ended", turn_id=…, outcome=…)`. Viewer text goes under keys that start with `pii_` only."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("kitsu")

    def debug(self, event: str, **values: Any) -> None:
        self._write(logging.DEBUG, event, values)

    def info(self, event: str, **values: Any) -> None:
        self._write(logging.INFO, event, values)

    def warning(self, event: str, **values: Any) -> None:
        self._write(logging.WARNING, event, values)

    def error(self, event: str, **values: Any) -> None:
        self._write(logging.ERROR, event, values)

    def exception(self, event: str, **values: Any) -> None:
        """An error with the current traceback."""
        self._write(logging.ERROR, event, values, exc_info=True)

    def _write(self, level: int, event: str, values: dict[str, Any], *, exc_info: bool = False) -> None:
        if self._logger.isEnabledFor(level):
            safe = {(f"{key}_" if key in _RESERVED else key): value for key, value in values.items()}
            self._logger.log(level, event, extra=safe, exc_info=exc_info)


log = Log()


def setup_logs(service: str) -> None:
    """Send everything this process logs to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(name)s %(message)s",
            rename_fields={"levelname": "level", "name": "logger", "message": "event"},
            timestamp="ts",
            static_fields={"service": service},
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(load("logs", LogSettings).level.upper())
    for chatty in ("httpx", "httpcore", "websockets", "uvicorn.access", "alembic", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
