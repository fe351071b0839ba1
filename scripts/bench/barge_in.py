"""Somebody speaks into her: first voiced sample in -> her last audible sample out, measured on samples.

Real processes from end to end: a microphone at the control door, the ears, hub, turns, playout, and a listener
at the control door that plays like a browser without a buffer. Her voice is a steady tone, so that a pause between
words cannot pass for silence; the mock model's replies are long.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.engines import mock_engines
from bench.errors import BenchError
from bench.microphone import Microphone, microphone
from bench.replies import question
from bench.script import progress
from bench.sink import SAMPLES_PER_S, Heard, sound_sink
from bench.speeds import Speeds
from bench.spoken import Samples, noise, padded, say, synthesisers
from bench.stack import Stack, new_place, running_stack
from bench.stats import p50, p95
from bench.toolkit import engine_settings

CONV = "page:bench"
NUMBER = 3  # of the longest reply
SPEAKING_S = 0.7  # she is heard for so long before somebody speaks
SILENT_S = 0.15  # so long without a sample is silence
WAIT_S = 30.0  # her longest answer takes 15
EARS = {"asr.enabled": "true", "asr.engine": "pocketsphinx", "show.start": "live", "asr.mode": "open"}
SENTENCES = ("wait a moment i have a question", "please stop that and listen to me", "hold on what was that noise")
COUGH_S = 0.11


@dataclass
class Ear:
    """What the listener heard, as stretches of sound: begin and end (perf_counter s)."""

    stretches: list[tuple[float, float]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, heard: Heard) -> None:
        if heard.kind == "sound" and heard.audible:
            begin, end = self.stretches[-1] if self.stretches else (0.0, 0.0)
            joins = heard.at <= end + SILENT_S
            starts = max(heard.at, end) if joins else heard.at
            stops = starts + heard.samples / SAMPLES_PER_S
            if joins:
                self.stretches[-1] = (begin, stops)
            else:
                self.stretches.append((heard.at, stops))
        self.arrived.set()

    async def speaks_for(self, seconds: float) -> None:
        """Wait until she has spoken for so long without a pause.

        Raises:
            BenchError: `no_sound`.
        """
        try:
            async with asyncio.timeout(WAIT_S):
                while not self.stretches or self.stretches[-1][1] - self.stretches[-1][0] < seconds:
                    self.arrived.clear()
                    await self.arrived.wait()
        except TimeoutError:
            raise BenchError("no_sound", "She did not speak.") from None

    def silent_at(self, spoken_at: float) -> float:
        """When the stretch of sound ended that held this moment.

        Raises:
            BenchError: `not_speaking`.
        """
        for begin, end in self.stretches:
            if begin <= spoken_at <= end:
                return end
        raise BenchError("not_speaking", "Her answer was over before somebody spoke into it.")


@dataclass(frozen=True)
class Room:
    """A show that runs, somebody who speaks, somebody who listens."""

    stack: Stack
    mic: Microphone
    ear: Ear

    async def ask(self) -> str:
        """Have her speak for long; the turn's id."""
        self.ear.stretches.clear()
        body = {"text": question(NUMBER), "conv": CONV}
        turn_id = (await self.stack.door.call("POST", "/chat", body)).json()["turn_id"]
        await self.ear.speaks_for(SPEAKING_S)
        return str(turn_id)

    async def ended(self, turn_id: str) -> tuple[str, str]:
        """How a turn ended, once it has.

        Raises:
            BenchError: `no_end`.
        """
        for _ in range(round(WAIT_S / 0.05)):
            turn = (await self.stack.door.call("GET", f"/turns/{turn_id}")).json()
            if turn["outcome"]:
                return turn["outcome"], turn["reason"]
            await asyncio.sleep(0.05)
        raise BenchError("no_end", "The turn did not end.")

    async def quiet(self) -> None:
        """End whatever she says, and let the ears come to rest."""
        await self.mic.said()
        await asyncio.sleep(2.0)
        await self.stack.door.call("POST", "/control/skip", {"conv": CONV})
        await asyncio.sleep(0.3)


async def interruption(room: Room, sound: Samples) -> float | None:
    """Somebody speaks; ms until she is silent. None: her answer was over, or the ears took it for nothing."""
    turn_id = await room.ask()
    spoken_at = await room.mic.say(sound)
    outcome, reason = await room.ended(turn_id)
    silent_ms = (room.ear.silent_at(spoken_at) - spoken_at) * 1000
    await room.quiet()
    if reason != "spoken_over":
        progress(f"  not interrupted: {outcome}/{reason}")
        return None
    progress(f"  silent after {silent_ms:.0f} ms")
    return silent_ms


async def paused(room: Room) -> int:
    """How often she has waited so far."""
    ears = (await room.stack.door.call("GET", "/ears")).json()
    return int(ears["counts"].get("paused", 0))


async def false_interruption(room: Room, sound: Samples) -> bool:
    """Somebody coughs; whether she said it all in the end."""
    turn_id = await room.ask()
    await room.mic.say(sound)
    outcome, reason = await room.ended(turn_id)
    await room.quiet()
    return (outcome, reason) == ("spoken", "completed")


@asynccontextmanager
async def room(folder: Path) -> AsyncIterator[Room]:
    """A show of its own, in `folder`."""
    async with AsyncExitStack() as exits:
        engines = await exits.enter_async_context(mock_engines(folder, Speeds()))
        settings = {**engine_settings(engines.llm_url, engines.tts_url, "natural"), **EARS}
        stack = await exits.enter_async_context(running_stack(new_place(folder / "home", settings)))
        ear = Ear()
        await exits.enter_async_context(sound_sink(stack.place, CONV, ear.note))
        mic = await exits.enter_async_context(microphone(stack.place, CONV))
        await asyncio.sleep(1.0)
        yield Room(stack, mic, ear)


async def measure(*, quick: bool = False) -> dict[str, float]:
    """ms of interruptions, and the share of coughs after which she went on.

    The first interruption of a show counts by itself: the echo guard has a room to learn, and is careful until then.

    Raises:
        BenchError: as the show's start; `not_interrupted` when no interruption was one.
    """
    found: list[float] = []
    count, resumed = 5 if quick else 20, 0
    coughs = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        async with room(Path(folder)) as show:
            voices = synthesisers()
            first = await interruption(show, padded(await say(SENTENCES[0], voices[0]), 0.2, 0.1))
            for number in range(count):
                text, voice = SENTENCES[number % len(SENTENCES)], voices[number % len(voices)]
                silent_ms = await interruption(show, padded(await say(text, voice), 0.2, 0.1))
                found += [] if silent_ms is None else [silent_ms]
            before = await paused(show)
            for number in range(coughs):
                resumed += await false_interruption(show, noise(COUGH_S, -18.0, number))
            waited = await paused(show) - before
    if not found:
        raise BenchError("not_interrupted", "Nobody silenced her.")
    return {
        "barge_in_first_ms": round(first or 0.0, 1),
        "barge_in_ms_p50": round(p50(found), 1),
        "barge_in_ms_p95": round(p95(found), 1),
        "barge_in_missed": float(count - len(found)),
        "cough_waited": waited / coughs,
        "cough_resumed": resumed / coughs,
    }
