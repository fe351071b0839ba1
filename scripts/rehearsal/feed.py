"""The show's event stream, as a page gets it: what the show says of itself, with the time at which it came."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from bench.stack import Place
from rehearsal.rows import Seen

BY = "event stream"

Event = dict[str, Any]
Proof = Callable[[], Awaitable[Seen]]
"""Waits for a sign that something has happened. What was there before the proof was made does not count.

Raises Unexpected when something else has happened.
"""


class Unexpected(Exception):  # noqa: N818 - an outcome of a rehearsal, no error
    """It went otherwise; the text says how."""


class Feed:
    """All events since it was opened."""

    def __init__(self) -> None:
        self._events: list[tuple[float, Event]] = []
        self._news = asyncio.Condition()

    def __len__(self) -> int:
        return len(self._events)

    async def next(self, after: int, true: Callable[[Event], bool]) -> tuple[float, Event]:
        """The first event of that kind, `after` so many events; with when it came (s, monotonic)."""
        async with self._news:
            while True:
                for at, event in self._events[after:]:
                    if true(event):
                        return at, event
                after = len(self._events)
                await self._news.wait()

    def sees(self, kind: str, say: Callable[[Event], str] = lambda event: "", **fields: Any) -> Proof:
        """The next event of this type with these fields; `say` puts it into words."""
        after = len(self)

        async def proof() -> Seen:
            at, event = await self.next(after, lambda event: is_of(event, kind, fields))
            return Seen(BY, at, say(event))

        return proof

    async def read(self, socket: ClientConnection) -> None:
        """For ever."""
        async for frame in socket:
            async with self._news:
                self._events.append((time.monotonic(), json.loads(frame)))
                self._news.notify_all()


def is_of(event: Event, kind: str, fields: dict[str, Any]) -> bool:
    """Whether an event is of that type and has these fields."""
    return event["type"] == kind and all(event.get(name) == value for name, value in fields.items())


@asynccontextmanager
async def feed(place: Place) -> AsyncIterator[Feed]:
    """Follows the stream of a show until the block ends."""
    address = f"ws://127.0.0.1:{place.network.orchestrator_port}/stream"
    made = Feed()
    async with connect(
        address,
        additional_headers={"authorization": f"Bearer {place.token()}"},
        compression=None,
        proxy=None,
        max_size=None,
    ) as socket:
        reading = asyncio.create_task(made.read(socket))
        try:
            await made.next(0, lambda event: event["type"] == "state.snapshot")
            yield made
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
