"""A listener at the control door, `/api/v1/sound`: notes when each frame of sound reaches it, like a browser would."""

import asyncio
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from bench.door_socket import door_socket
from bench.stack import Place
from kitsu.protocol import (
    PlayoutFrame,
    SinkFlush,
    SinkFlushed,
    SinkPosition,
    TurnEnded,
    decode,
    encode,
)

REPORT_EVERY_S = 0.1
SAMPLES_PER_S = 48_000
AUDIBLE = 100
"""Loudest sample of a frame that counts as silence: -50 dBFS."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that reached the listener."""

    kind: Literal["sound", "clear", "end"]
    at: float  # perf_counter s
    turn_id: str = ""
    samples: int = 0  # at 48 kHz
    audible: bool = False
    outcome: str = ""
    reason: str = ""
    mouth_s: float | None = None  # so long after the frame's first sample the mouth opens in it


class PlayedPosition:
    """What a browser without any buffer of its own would have played. Positions are stream samples."""

    def __init__(self) -> None:
        self._from = 0
        self._until = 0
        self._began = 0.0

    def arrived(self, position: int, samples: int, now: float) -> None:
        """A frame came."""
        if self.at(now) >= self._until or position < self._from:
            self._from, self._began = position, now
        self._until = position + samples

    def at(self, now: float) -> int:
        """The sample that sounds at `now` (s)."""
        return min(self._until, self._from + round((now - self._began) * SAMPLES_PER_S))

    def sounds(self, now: float) -> bool:
        """Whether anything is left to play."""
        return self.at(now) < self._until


class SoundSink:
    """One listener of one conversation."""

    def __init__(self, conv: str, socket: ClientConnection, name: str, listener: Callable[[Heard], None]) -> None:
        self.conv = conv
        self.name = name
        self._socket = socket
        self._listener = listener
        self._played = PlayedPosition()

    async def listen(self) -> None:
        """Take frames until cancelled.

        Raises:
            ConnectionClosed: the door is gone.
        """
        while True:
            frame = await self._socket.recv()
            at = time.perf_counter()
            message, payload = decode(frame)
            match message:
                case PlayoutFrame() if payload and message.sink == self.name:
                    self._played.arrived(message.position, message.samples, at)
                    if message.segment >= 0:
                        loud = audible(payload)
                        sound = Heard("sound", at, message.turn_id, message.samples, loud, mouth_s=_mouth(message))
                        self._listener(sound)
                case SinkFlush():
                    self._listener(Heard("clear", at))
                    if message.panic_id:
                        await self._socket.send(
                            encode(SinkFlushed(sink=self.name, latency_ms=0.0, panic_id=message.panic_id))
                        )
                case TurnEnded():
                    ended = Heard("end", at, message.turn_id, outcome=message.outcome, reason=message.reason)
                    self._listener(ended)
                case _:
                    pass

    async def report(self) -> None:
        """Tell the clock what was played, every 100 ms while something sounds."""
        told = -1
        while True:
            await asyncio.sleep(REPORT_EVERY_S)
            now = time.perf_counter()
            position = self._played.at(now)
            if position != told:
                told = position
                state: Literal["running", "idle"] = "running" if self._played.sounds(now) else "idle"
                await self._socket.send(
                    encode(SinkPosition(conv=self.conv, sink=self.name, position=position, state=state))
                )


@asynccontextmanager
async def sound_sink(place: Place, conv: str, listener: Callable[[Heard], None]) -> AsyncIterator[SoundSink]:
    """A listener of `conv` until the block ends.

    Raises:
        BenchError: `no_sound`.
    """
    hello = '{"type": "sink.hello", "label": "bench"}'
    opening = door_socket(place, f"/api/v1/sound?conv={conv}", hello, code="no_sound", what="listener")
    async with opening as (socket, welcome):
        sink = SoundSink(conv, socket, welcome.session, listener)
        tasks = [asyncio.create_task(sink.listen()), asyncio.create_task(sink.report())]
        try:
            yield sink
        finally:
            for task in tasks:
                task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(result, Exception) and not isinstance(result, ConnectionClosed):
                    raise result


def _mouth(frame: PlayoutFrame) -> float | None:
    opening = (one.at for one in frame.visemes if one.viseme != "sil")
    return next((at / SAMPLES_PER_S for at in opening), None)


def audible(payload: memoryview) -> bool:
    """Whether a frame of PCM s16le holds more than silence."""
    samples = struct.unpack(f"<{len(payload) // 2}h", payload)
    return bool(samples) and max(max(samples), -min(samples)) > AUDIBLE
