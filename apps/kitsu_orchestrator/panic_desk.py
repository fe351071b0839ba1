"""The panic that holds: who has answered it, and the file that outlives a crash."""

import asyncio
from collections import deque
from collections.abc import Callable

from kitsu.panic import PanicLatch
from kitsu.protocol import PanicConfirmed, PanicExit, PanicUnconfirmed
from kitsu.telemetry import log
from kitsu_orchestrator.levels import Levels
from kitsu_orchestrator.panic import Confirmations
from kitsu_orchestrator.stream import Tell

EARLY_LIMIT = 64  # confirmations of a panic that has not come yet; more than there are exits


class PanicDesk:
    """Keeps account of a panic; pressing it and ending it are the show's.

    Args:
        changed: called when an exit has answered.
        tell: for what the operator must know.
    """

    def __init__(self, levels: Levels, latch: PanicLatch, changed: Callable[[], None], tell: Tell) -> None:
        self._levels = levels
        self._latch = latch
        self._latching = asyncio.Lock()
        self._changed = changed
        self._tell = tell
        self._confirmations: Confirmations | None = None
        self._early: deque[PanicConfirmed] = deque(maxlen=EARLY_LIMIT)

    def expect(self, panic_id: str, exits: list[str]) -> Confirmations:
        """Everything has been told to be silent; these have to answer."""
        self._confirmations = Confirmations(panic_id, exits)
        while self._early:
            self._confirmations.confirm(self._early.popleft())
        return self._confirmations

    def over(self) -> None:
        """It has been resumed."""
        self._confirmations = None

    def exits(self) -> tuple[PanicExit, ...]:
        """Who has answered the panic that holds, as far as they have."""
        return self._confirmations.exits() if self._confirmations else ()

    async def settled(self) -> tuple[PanicExit, ...]:
        """The same once every exit has answered, or is late."""
        return await self._confirmations.settle() if self._confirmations else ()

    def confirm(self, message: PanicConfirmed) -> None:
        """An exit is silent. By the launcher's path it may know of a panic before us, and it says so only once."""
        if self._confirmations is None or self._confirmations.panic_id != message.panic_id:
            self._early.append(message)
            return
        self._confirmations.confirm(message)
        self._changed()

    def unconfirmed(self, message: PanicUnconfirmed) -> None:
        """An exit could not be made silent, and knows it."""
        if self._confirmations is not None and self._confirmations.panic_id == message.panic_id:
            self._confirmations.fail(message.exit, message.detail)
            self._changed()

    def gone(self, exits: list[str]) -> None:
        """These exits have left the hub."""
        if self._confirmations is not None and exits:
            for name in exits:
                self._confirmations.gone(name)
            self._changed()

    async def settle(self, confirmations: Confirmations) -> None:
        """Wait for all exits of one press, and tell how it went; by then it may be resumed, or pressed again."""
        exits = await confirmations.settle()
        if self._confirmations is confirmations:
            self._changed()
        late = [row.exit for row in exits if row.state == "late"]
        log.warning("panic.confirmed", exits={row.exit: row.latency_ms for row in exits}, late=late)

    async def latch_down(self) -> None:
        """Make the file say what holds now. One at a time: the last press must be the last that is written."""
        async with self._latching:
            try:
                await asyncio.to_thread(self._latch.write, self._levels.now.panic)
            except OSError as error:
                text = f"The panic state could not be saved ({error.strerror}); it would be lost in a restart."
                log.error("panic.not_saved", error=str(error))
                self._tell("error", "panic_not_saved", text)
