"""How many requests a worker works on at once, the stage's first."""

import asyncio
from collections import deque


class Slots:
    """A semaphore with two waiting lines."""

    def __init__(self, size: int = 1) -> None:
        self._size = size
        self._taken = 0
        self._stage: deque[asyncio.Future[None]] = deque()
        self._private: deque[asyncio.Future[None]] = deque()

    def resize(self, size: int) -> None:
        """The worker says how many it can do (`max_parallel`)."""
        self._size = max(1, size)
        self._wake()

    async def acquire(self, *, stage: bool) -> None:
        """Take one slot; whoever does must `release` it."""
        if self._taken >= self._size or self._stage or (self._private and not stage):
            await self._wait(self._stage if stage else self._private)
        else:
            self._taken += 1

    def release(self) -> None:
        """Give a slot back."""
        self._taken -= 1
        self._wake()

    async def _wait(self, line: deque[asyncio.Future[None]]) -> None:
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the slot was handed over in the same moment
                self.release()
            elif turn in line:
                line.remove(turn)
            raise

    def _wake(self) -> None:
        for line in (self._stage, self._private):
            while line and self._taken < self._size:
                turn = line.popleft()
                if not turn.cancelled():
                    self._taken += 1
                    turn.set_result(None)
