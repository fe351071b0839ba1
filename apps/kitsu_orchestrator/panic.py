"""Who has confirmed the panic that holds now."""

import asyncio
import time

from kitsu.protocol import PanicConfirmed, PanicExit

LATE_AFTER_S = 1.0


class Confirmations:
    """One row an exit. An exit that does not answer is late, never assumed silent."""

    def __init__(self, panic_id: str, expected: list[str]) -> None:
        self.panic_id = panic_id
        self._began = time.perf_counter()
        self._exits = {name: PanicExit(exit=name, state="pending") for name in expected}
        self._complete = asyncio.Event()
        self._check()

    def confirm(self, message: PanicConfirmed) -> None:
        """An exit says that it is silent."""
        if message.panic_id != self.panic_id:
            return
        self._exits[message.exit] = PanicExit(
            exit=message.exit, state="confirmed", latency_ms=self._elapsed_ms(), detail=message.detail
        )
        self._check()

    def fail(self, name: str, detail: str) -> None:
        """An exit says that it could not be made silent. It is late already; it may still be confirmed."""
        self._exits[name] = PanicExit(exit=name, state="late", latency_ms=self._elapsed_ms(), detail=detail)
        self._check()

    def gone(self, name: str) -> None:
        """An exit left the hub: without one it is silent by itself, and most often its process has ended."""
        if name in self._exits and self._exits[name].state == "pending":
            self._exits[name] = PanicExit(
                exit=name, state="confirmed", latency_ms=self._elapsed_ms(), detail="it left the hub"
            )
            self._check()

    def exits(self) -> tuple[PanicExit, ...]:
        """All rows."""
        return tuple(self._exits.values())

    async def settle(self) -> tuple[PanicExit, ...]:
        """All rows once every exit has answered, or is late."""
        try:
            async with asyncio.timeout(LATE_AFTER_S):
                await self._complete.wait()
        except TimeoutError:
            for name, row in self._exits.items():
                if row.state == "pending":
                    self._exits[name] = PanicExit(exit=name, state="late", latency_ms=self._elapsed_ms())
        return self.exits()

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self._began) * 1000, 1)

    def _check(self) -> None:
        if all(row.state != "pending" for row in self._exits.values()):
            self._complete.set()
