"""Kitsu as the bench sees it: text in by public REST, sound out at a public listener, its engines the mocks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench.errors import BenchError
from bench.sink import Heard, SoundSink, sound_sink
from bench.stack import Stack, new_place, running_stack

Cuts = Literal["natural", "eager"]
Clock = Literal["live", "offline"]

NOBODY_LISTENS_S = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A line that was taken."""

    turn_id: str
    text_in: float  # perf_counter s, just before the request was written


class Toolkit:
    """One running show with a listener per clock: what is played live and what is played as fast as it comes."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.clock: Clock = "offline"
        self.heard: list[Heard] = []
        self.listener: Callable[[Heard], None] = self.heard.append
        self._arrived = asyncio.Event()

    @property
    def conv(self) -> str:
        """The conversation of the clock that is chosen now."""
        return f"bench:{self.clock}"

    def note(self, heard: Heard) -> None:
        """A listener's event."""
        self.listener(heard)
        self._arrived.set()

    async def ask(self, text: str) -> Asked:
        """Send a line of chat; returns as soon as it is taken.

        Raises:
            BenchError: `refused`.
        """
        await self.stack.door.open()
        body = {"text": text, "author": "bench", "role": "viewer", "conv": self.conv, "clock": self.clock}
        reply = await self.stack.door.call("POST", "/chat", body)
        if reply.status != 202:
            raise BenchError("refused", f"The line was not taken: {reply.status} {reply.text[:200]}")
        return Asked(reply.json()["turn_id"], reply.sent_at)

    async def interrupt(self) -> float:
        """Cut what she is saying. Returns when the request was sent (perf_counter s)."""
        return (await self.stack.door.call("POST", "/control/skip", {"conv": self.conv})).sent_at

    async def first_sound(self, turn_id: str, timeout_s: float) -> Heard:
        """Wait for the first frame of a turn.

        Raises:
            BenchError: `no_sound`, `turn_failed` when the turn ended without any.
        """
        return await self._next("sound", turn_id, timeout_s)

    async def end(self, turn_id: str, timeout_s: float) -> Heard:
        """Wait for a turn's end.

        Raises:
            BenchError: `no_sound`.
        """
        return await self._next("end", turn_id, timeout_s)

    def sound_of(self, turn_id: str) -> list[Heard]:
        """All frames of a turn so far."""
        return [one for one in self.heard if one.kind == "sound" and one.turn_id == turn_id]

    async def _next(self, kind: str, turn_id: str, timeout_s: float) -> Heard:
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    for one in self.heard:
                        if one.turn_id == turn_id and one.kind in (kind, "end"):
                            return _wanted(one, kind)
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            raise BenchError("no_sound", f"No {kind} of turn {turn_id} within {timeout_s:g} s.") from None


def _wanted(one: Heard, kind: str) -> Heard:
    if one.kind != kind:
        raise BenchError("turn_failed", f"Turn {one.turn_id} ended without sound: {one.outcome}/{one.reason}")
    return one


def engine_settings(llm_url: str, tts_url: str, cuts: Cuts) -> dict[str, str]:
    """Settings that point a show at the mocks."""
    return {
        "policy.engine": "openai",
        "policy.base_url": llm_url,
        "policy.model": "mock",
        "policy.cuts": cuts,
        "tts.engine": "openai",
        "tts.fallback": "false",
        "tts.cache_mb": "0",
        "tts.base_url": tts_url,
        "logs.level": "info",
    }


@asynccontextmanager
async def running_toolkit(
    folder: Path,
    llm_url: str,
    tts_url: str,
    cuts: Cuts,
    *,
    settings: Mapping[str, str] | None = None,
    only: Sequence[str] = (),
) -> AsyncIterator[Toolkit]:
    """A launched show in `folder` (or `only` some of its services), with its listeners, until the block ends.

    Raises:
        BenchError: it could not be started.
    """
    place = new_place(folder, engine_settings(llm_url, tts_url, cuts) | dict(settings or {}))
    async with AsyncExitStack() as opened:
        toolkit = Toolkit(await opened.enter_async_context(running_stack(place, only)))
        for conv in ("bench:offline", "bench:live"):
            sink = await opened.enter_async_context(sound_sink(place, conv, toolkit.note))
            await _elected(toolkit, sink)
        yield toolkit


async def _elected(toolkit: Toolkit, sink: SoundSink) -> None:
    """Until the clock plays to this listener: a turn asked earlier would be heard by nobody."""
    for _ in range(round(NOBODY_LISTENS_S / 0.02)):
        status = (await toolkit.stack.door.call("GET", "/status")).json()
        if any(row["sink"] == sink.name and row["elected"] for row in status.get("sinks", ())):
            return
        await asyncio.sleep(0.02)
    raise BenchError("no_sound", f"The clock never chose the listener of {sink.conv}.")
