"""Lines to the hub: 256 of them, or what came within 20 ms."""

import asyncio
from collections.abc import Callable

from kitsu.protocol import ChatBatch, ChatLine
from kitsu.protocol.chat import MAX_BATCH

EVERY_S = 0.02


class Batcher:
    """Collects lines; what must keep its place among them calls `flush` first."""

    def __init__(self, send: Callable[[ChatBatch], None]) -> None:
        self._send = send
        self._lines: list[ChatLine] = []
        self._timer: asyncio.TimerHandle | None = None

    def add(self, line: ChatLine) -> None:
        """One line."""
        self._lines.append(line)
        if len(self._lines) >= MAX_BATCH:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY_S, self.flush)

    def flush(self) -> None:
        """Send what is there."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._lines:
            lines, self._lines = tuple(self._lines), []
            self._send(ChatBatch(lines=lines))
