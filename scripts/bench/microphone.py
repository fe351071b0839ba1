"""A browser's microphone at the control door, `/api/v1/mic`, that says what it is given at the pace of speech."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from bench.errors import BenchError
from bench.spoken import RATE_HZ, Samples
from bench.stack import Place
from kitsu.protocol import HelloAccepted, decode

FRAME = RATE_HZ // 50
HISS = 3e-4  # -70 dBFS: a microphone that gives zeros is switched off, and the ears know that
VOICED = 0.01
"""A sample that is louder (-40 dBFS) is voice: what is said lies in silence."""


class Microphone:
    """A quiet room, but for what is said."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._room = np.random.default_rng(1)
        self._waiting: Samples = np.zeros(0, np.float32)
        self._said = asyncio.Event()
        self._first_voiced: asyncio.Future[float] | None = None
        self.last_voiced_at = 0.0  # perf_counter s

    async def run(self) -> None:
        """Send a frame every 20 ms, until cancelled."""
        due = time.perf_counter()
        while True:
            due += FRAME / RATE_HZ
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            frame, self._waiting = self._waiting[:FRAME], self._waiting[FRAME:]
            self._note(frame, due)
            frame = np.concatenate((frame, np.zeros(FRAME - len(frame), np.float32)))
            frame = frame + self._room.standard_normal(FRAME, np.float32) * np.float32(HISS)
            await self._socket.send(np.clip(frame * 32767, -32768, 32767).astype("<i2").tobytes())
            if not len(self._waiting):
                self._said.set()

    async def say(self, sound: Samples) -> float:
        """Begin to say it. Returns when its first voiced sample was taken (perf_counter s)."""
        self._first_voiced = asyncio.get_running_loop().create_future()
        self._waiting = sound
        self._said.clear()
        return await self._first_voiced

    async def said(self) -> float:
        """Wait until all of it was said. Returns when its last voiced sample was taken (perf_counter s)."""
        await self._said.wait()
        return self.last_voiced_at

    def _note(self, frame: Samples, end_s: float) -> None:
        voiced = np.flatnonzero(np.abs(frame) > VOICED)
        if not len(voiced):
            return
        began_s = end_s - FRAME / RATE_HZ
        self.last_voiced_at = began_s + float(voiced[-1]) / RATE_HZ
        if self._first_voiced is not None and not self._first_voiced.done():
            self._first_voiced.set_result(began_s + float(voiced[0]) / RATE_HZ)


@asynccontextmanager
async def microphone(place: Place, conv: str) -> AsyncIterator[Microphone]:
    """One that speaks to `conv`, until the block ends.

    Raises:
        BenchError: `no_microphone`.
    """
    url = f"ws://127.0.0.1:{place.network.control_port}/api/v1/mic?conv={conv}"
    headers = {"Authorization": f"Bearer {place.token()}"}
    try:
        socket = await connect(url, additional_headers=headers, compression=None, proxy=None)
    except (OSError, InvalidHandshake) as error:
        raise BenchError("no_microphone", f"The control door let no microphone in: {error}") from None
    async with socket:
        await socket.send(f'{{"type": "mic.hello", "rate_hz": {RATE_HZ}, "label": "bench", "name": "Robin"}}')
        welcome = decode(await socket.recv()).message
        if not isinstance(welcome, HelloAccepted):
            raise BenchError("no_microphone", f"The control door answered {welcome}")
        mic = Microphone(socket)
        running = asyncio.create_task(mic.run())
        try:
            yield mic
        finally:
            running.cancel()
            await asyncio.wait({running})
