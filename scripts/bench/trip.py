"""Somebody speaks into a microphone at the control door of a running show, and hears the answer there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.engine_sets import EngineSet
from bench.errors import BenchError
from bench.microphone import Microphone, microphone
from bench.rest import Door
from bench.sink import Heard, sound_sink
from bench.spoken import Samples
from bench.stack import Stack, new_place, running_stack

CONV = "page:trip"
WAIT_S = 12.0
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Trip:
    """One of them. All in ms after the last voiced sample."""

    final: float  # the words were certain
    first_token: float
    first_segment: float
    first_chunk: float
    sound: float  # reached the listener
    mouth: float
    guessed: bool
    heard: str  # what was understood

    @property
    def stages(self) -> dict[str, float]:
        """Stages of which some may have come before the words were certain."""
        return {"first_token": self.first_token, "first_segment": self.first_segment, "first_chunk": self.first_chunk}


class Listener:
    """Notes the first sound of an answer, and when the mouth opens."""

    def __init__(self) -> None:
        self.sound_at = self.mouth_at = 0.0
        self.turn_id = ""
        self.ended = asyncio.Event()

    def reset(self) -> None:
        self.sound_at = self.mouth_at = 0.0
        self.turn_id = ""
        self.ended.clear()

    def note(self, heard: Heard) -> None:
        if heard.kind == "end":
            self.turn_id = heard.turn_id
            self.ended.set()
        if heard.kind != "sound":
            return
        if heard.audible and not self.sound_at:
            self.sound_at = heard.at
        if heard.mouth_s is not None and not self.mouth_at:
            self.mouth_at = heard.at + heard.mouth_s


@dataclass(frozen=True)
class Room:
    """A show that runs, a microphone, a listener."""

    stack: Stack
    mic: Microphone
    listener: Listener

    async def trip(self, sound: Samples) -> Trip | None:
        """Say it, and wait for the whole answer. None: there was none."""
        self.listener.reset()
        await self.mic.say(sound)
        spoken_at = await self.mic.said()
        try:
            async with asyncio.timeout(WAIT_S):
                await self.listener.ended.wait()
        except TimeoutError:
            return None
        turn = (await self.stack.door.call("GET", f"/turns/{self.listener.turn_id}")).json()
        if turn["outcome"] != "spoken" or not self.listener.sound_at:
            return None
        return _trip(turn, spoken_at, self.listener)

    async def counts(self) -> dict[str, int]:
        """What came of what was heard."""
        counts: dict[str, int] = (await self.stack.door.call("GET", "/ears")).json()["counts"]
        return counts

    async def wav(self) -> bytes:
        """What was played of the last answer."""
        return await _raw(self.stack.door, f"/turns/{self.listener.turn_id}/audio.wav", self.stack.place.home.turns)


def _trip(turn: dict[str, Any], spoken_at: float, listener: Listener) -> Trip:
    times = turn["times"]
    final = times["endpoint_ms"]
    return Trip(
        final=final,
        first_token=final + times["first_token_ms"],
        first_segment=final + times["first_segment_ms"],
        first_chunk=final + times["first_chunk_ms"],
        sound=(listener.sound_at - spoken_at) * 1000,
        mouth=(listener.mouth_at - spoken_at) * 1000,
        guessed=any(step["event"] == "turn.guessed" for step in turn["story"]),
        heard=turn["text"],
    )


async def _raw(door: Door, path: str, folder: Path) -> bytes:
    """The recording as playout keeps it (the door's answer is text to the bench)."""
    turn = (await door.call("GET", path.rpartition("/")[0])).json()
    return await asyncio.to_thread((folder / turn["wav"]).read_bytes)


@asynccontextmanager
async def room(folder: Path, engines: EngineSet, settings: dict[str, str]) -> AsyncIterator[Room]:
    """A show of its own, with these engines; `settings` overrule theirs.

    Raises:
        BenchError: `no_tiny_models`, `no_ears`, and what a stack, a microphone and a listener raise.
    """
    await asyncio.to_thread(engines.furnish, folder)
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(running_stack(new_place(folder, {**engines.settings, **settings})))
        listener = Listener()
        await exits.enter_async_context(sound_sink(stack.place, CONV, listener.note))
        mic = await exits.enter_async_context(microphone(stack.place, CONV))
        await _ready(stack.door)
        yield Room(stack, mic, listener)


async def _ready(door: Door) -> None:
    """Until the recogniser is loaded."""
    ears: dict[str, Any] = {}
    for _ in range(round(60 / LOOK_EVERY_S)):
        ears = (await door.call("GET", "/ears")).json()
        if ears["state"] and ears["state"].get("engine") and ears["state"].get("sources"):
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise BenchError("no_ears", f"The ears do not listen: {ears}")
