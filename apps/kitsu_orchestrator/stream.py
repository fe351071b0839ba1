"""The page stream: a snapshot, then deltas. A slow page loses the oldest and gets a fresh snapshot."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Literal

import msgspec

from kitsu.protocol import Message, StateSnapshot, encode

READER_LIMIT = 500
MAX_READERS = 32

Tell = Callable[[Literal["info", "warn", "error"], str, str], None]  # level, code, message: a notice


class Stream:
    """Fan-out to all open pages."""

    def __init__(self, snapshot: Callable[[], StateSnapshot]) -> None:
        self._snapshot = snapshot
        self._readers: set[Reader] = set()
        self.seq = 0
        self.resets = 0  # snapshots sent because a page was too slow

    def publish(self, message: Message) -> None:
        """Give a message to all pages."""
        self.seq += 1
        if not self._readers:
            return
        frame = str(encode(msgspec.structs.replace(message, seq=self.seq)))
        for reader in self._readers:
            reader.put(frame)

    def join(self) -> "Reader | None":
        """A place for one more page, taken at once; None when all are taken. `leave` gives it back."""
        if len(self._readers) >= MAX_READERS:
            return None
        reader = Reader()
        self._readers.add(reader)
        return reader

    def leave(self, reader: "Reader") -> None:
        """The page is gone."""
        self._readers.discard(reader)

    async def read(self, reader: "Reader") -> AsyncIterator[str]:
        """Text frames for a page that has joined, for ever."""
        reader.clear()  # what came since it joined is in its snapshot
        yield self._fresh()
        while True:
            if await reader.wait():
                self.resets += 1
                yield self._fresh()
            while reader.frames:
                yield reader.frames.popleft()

    def _fresh(self) -> str:
        return str(encode(msgspec.structs.replace(self._snapshot(), seq=self.seq)))


class Reader:
    """One page's place."""

    def __init__(self) -> None:
        self.frames: deque[str] = deque()
        self._wake = asyncio.Event()
        self._overrun = False

    def clear(self) -> None:
        """Begin anew."""
        self.frames.clear()
        self._wake.clear()
        self._overrun = False

    def put(self, frame: str) -> None:
        """One more frame; too many, and a snapshot takes their place."""
        if len(self.frames) >= READER_LIMIT:
            self.frames.clear()
            self._overrun = True
        if not self._overrun:
            self.frames.append(frame)
        self._wake.set()

    async def wait(self) -> bool:
        """Wait for frames; True when some were lost and a snapshot must come first."""
        await self._wake.wait()
        self._wake.clear()
        overrun, self._overrun = self._overrun, False
        return overrun
