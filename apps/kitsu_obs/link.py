"""OBS, whenever it is there: connects, watches that it lives, comes back, and says how it is."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from kitsu.errors import EngineError
from kitsu.telemetry import log
from kitsu_obs.connection import Address, Connection, Event
from kitsu_obs.performing import Performance

PULSE_EVERY_S = 0.6
PULSE_TIMEOUT_S = 1.0  # with the pause before it: trouble is told within 2 s
GIVE_UP_S = 10.0  # without any answer for so long, the connection is made anew
FIRST_DELAY_S = 0.2
LONGEST_DELAY_S = 4.0
NOT_READY_DELAY_S = 0.3
REFUSED_DELAY_S = 30.0  # a wrong password does not mend itself, and OBS shows a notice each time


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong."""

    code: str
    message: str


CONNECTING = Trouble("obs_unreachable", "connecting to OBS")
FROZEN = Trouble("obs_frozen", "OBS does not answer any more: it hangs, or this machine does.")


class ObsLink:
    """The one way to OBS. `changed` is called when the trouble changed, `arrived` awaited after each sign-in."""

    def __init__(
        self,
        address: Address,
        *,
        on_event: Callable[[Event], None],
        changed: Callable[[], None],
        arrived: Callable[[], Awaitable[None]],
    ) -> None:
        self.trouble: Trouble | None = CONNECTING
        self.connects = 0
        self._address = address
        self._on_event = on_event
        self._changed = changed
        self._arrived = arrived
        self._connection: Connection | None = None
        self._known = False  # looked at since the last sign-in
        self._watching: list[Performance] = []
        self._again = asyncio.Event()

    async def run(self) -> None:
        """Stay connected until cancelled."""
        delay = FIRST_DELAY_S
        while True:
            self._again.clear()
            try:
                connection = await Connection.open(self._address, self._deliver)
            except EngineError as error:
                self._tell(Trouble(error.code, error.message))
                delay = REFUSED_DELAY_S if error.code == "obs_bad_password" else min(delay * 1.7, LONGEST_DELAY_S)
            else:
                delay = FIRST_DELAY_S
                await self._stay(connection)
            await self._pause(delay)

    def reset(self) -> None:
        """Drop what there is and connect at once."""
        self._again.set()
        if self._connection is not None:
            self._connection.close()

    async def request(self, kind: str, *, timeout_s: float, **data: Any) -> dict[str, Any]:
        """One request; see `Connection.request`.

        Raises:
            EngineError: also the code of the trouble, when OBS is not there.
        """
        return await self._there().request(kind, data, timeout_s=timeout_s)

    async def batch(self, requests: list[dict[str, Any]], timeout_s: float) -> list[dict[str, Any]]:
        """Many requests at once. Raises like `request`."""
        return await self._there().batch(requests, timeout_s=timeout_s)

    def watch(self, performance: Performance) -> None:
        """Give it every event from now on."""
        self._watching.append(performance)

    def unwatch(self, performance: Performance) -> None:
        """No more events for it."""
        self._watching.remove(performance)

    def _there(self) -> Connection:
        if self._connection is None:
            trouble = self.trouble or CONNECTING
            raise EngineError(trouble.code, trouble.message, retryable=True)
        return self._connection

    def _deliver(self, event: Event) -> None:
        for performance in self._watching:
            performance.see(event)
        self._on_event(event)

    async def _stay(self, connection: Connection) -> None:
        self._connection, self._known = connection, False
        self.connects += 1
        log.info("obs.connected", address=str(self._address))
        async with asyncio.TaskGroup() as group:
            pulse = group.create_task(self._pulse(connection))
            arrival = group.create_task(self._arrive())
            try:
                why = await asyncio.shield(connection.ended)
            finally:
                self._connection = None
                connection.close()
                pulse.cancel()
                arrival.cancel()
        self._tell(Trouble("obs_gone", f"The connection to OBS ended ({why[:100]}); trying again."))

    async def _arrive(self) -> None:
        while True:
            try:
                await self._arrived()
                self._known = True
                self._tell(None)
                return
            except EngineError as error:  # it may have just begun and know nothing yet
                log.info("obs.not_ready", code=error.code, message_=error.message)
            await asyncio.sleep(NOT_READY_DELAY_S)

    async def _pulse(self, connection: Connection) -> None:
        """Ask something small again and again. A late answer is harmless: answers are matched by id."""
        answered = time.monotonic()
        while True:
            try:
                await connection.request("GetStats", timeout_s=PULSE_TIMEOUT_S)
                answered = time.monotonic()
                self._tell(None if self._known else CONNECTING)
            except EngineError as error:
                if error.code == "obs_gone":
                    return  # `_stay` knows
                self._tell(FROZEN if error.code == "obs_timeout" else Trouble(error.code, error.message))
                if time.monotonic() - answered > GIVE_UP_S:
                    connection.close()
                    return
            await asyncio.sleep(PULSE_EVERY_S)

    def _tell(self, trouble: Trouble | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            if trouble is not None:
                log.warning("obs.trouble", code=trouble.code, message_=trouble.message)
            self._changed()

    async def _pause(self, delay_s: float) -> None:
        try:
            async with asyncio.timeout(delay_s * random.uniform(0.7, 1.0)):  # jitter, not a secret
                await self._again.wait()
        except TimeoutError:
            pass
