"""Somebody speaks -> Kitsu answers aloud: microphone, recogniser, model, voice, and where the time goes.

Real processes from end to end: a microphone at the control door, the ears, hub, turns, playout, and a listener at the
control door. Time counts from the last voiced sample that went in. With the embedded engines nothing need be
downloaded; `--set asr.engine=faster_whisper` and the like measures others. `--wav` keeps what she answered.
"""

import asyncio
import sys
import tempfile
import wave
from argparse import ArgumentTypeError, Namespace
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from bench.errors import BenchError
from bench.microphone import Microphone, microphone
from bench.rest import Door
from bench.script import Figures, Line, Report, at_most, parser, progress, run
from bench.sink import Heard, sound_sink
from bench.spoken import RATE_HZ, Samples, padded, say, synthesisers
from bench.stack import Stack, new_place, running_stack
from bench.stats import p50, p95

CONV = "page:trip"
TARGET_MS = 1200.0
MOUTH_MS = 1000.0
WAIT_S = 12.0
LOOK_EVERY_S = 0.05
EMBEDDED = {
    "asr.enabled": "true",
    "asr.engine": "pocketsphinx",
    "policy.engine": "scripted",
    "tts.engine": "espeak",
    "tts.cache_mb": "0",
}
SENTENCES = (
    "what game are we going to play tonight",
    "hello kitsu how are you today",
    "can you sing a song for all of us",
    "tell me a joke about a fox",
    "what is your favorite food",
)


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
async def room(folder: Path, settings: dict[str, str]) -> AsyncIterator[Room]:
    """A show of its own."""
    async with AsyncExitStack() as exits:
        stack = await exits.enter_async_context(running_stack(new_place(folder, EMBEDDED | settings)))
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


async def measure(sounds: Sequence[Samples], count: int, settings: dict[str, str], wav: Path | None) -> Report:
    """`count` round trips."""
    trips: list[Trip] = []
    with tempfile.TemporaryDirectory() as folder:
        async with room(Path(folder) / "home", settings) as show:
            await show.trip(sounds[0])  # cold caches
            for number, sound in zip(range(count), cycle(sounds), strict=False):
                trip = await show.trip(sound)
                if trip is None:
                    progress(f"{number + 1}: no answer; so far {await show.counts()}")
                    continue
                trips.append(trip)
                how = "guessed" if trip.guessed else "waited for"
                progress(f"{number + 1}: {trip.heard!r} {how}, sound after {trip.sound:.0f} ms")
            counts = await show.counts()
            if wav is not None and trips:
                await asyncio.to_thread(wav.write_bytes, await show.wav())
    if not trips:
        raise BenchError("no_answer", "Nothing was answered.")
    return report(trips, count, counts)


def report(trips: Sequence[Trip], count: int, counts: dict[str, int]) -> Report:
    """p50 and p95 of each stage; `counts`: what the orchestrator counted."""
    rows = {
        "endpoint": [trip.final for trip in trips],
        **{name: [trip.stages[name] for trip in trips] for name in trips[0].stages},
        "final_to_sound": [trip.sound - trip.final for trip in trips],
        "speech_to_sound": [trip.sound for trip in trips],
        "speech_to_mouth": [trip.mouth for trip in trips],
        "sound_to_mouth": [max(0.0, trip.mouth - trip.sound) for trip in trips],
    }
    figures: Figures = {f"{name}_ms_p50": round(p50(values), 1) for name, values in rows.items()}
    figures |= {f"{name}_ms_p95": round(p95(values), 1) for name, values in rows.items()}
    figures |= {"answered": len(trips), "asked": count, "guessed": sum(trip.guessed for trip in trips)}
    figures |= {name: counts.get(name, 0) for name in ("guesses_started", "guesses_kept", "guesses_dropped")}
    return Report(figures, _lines())


def _lines() -> list[Line]:
    titles = {
        "endpoint": "last sample -> words",
        "first_token": "last sample -> model's first token",
        "first_segment": "last sample -> first segment approved",
        "first_chunk": "last sample -> voice's first chunk",
        "final_to_sound": "words -> sound",
        "speech_to_sound": "last sample -> sound",
        "speech_to_mouth": "last sample -> mouth moves",
        "sound_to_mouth": "sound -> mouth moves",
    }
    targets = {"speech_to_sound": TARGET_MS, "speech_to_mouth": MOUTH_MS}
    lines = []
    for name, title in titles.items():
        limit = targets.get(name)
        aim = ("", None) if limit is None else (f"<= {limit:.0f}", at_most(limit))
        lines.append(Line(f"{title}, ms p50", f"{name}_ms_p50", *aim))
        lines.append(Line(f"{title}, ms p95", f"{name}_ms_p95"))
    return [
        *lines,
        Line("answered", "answered"),
        Line("of them begun before the words were certain", "guessed"),
        *_guesses(),
    ]


def _guesses() -> list[Line]:
    return [Line(f"turns begun ahead: {name}", f"guesses_{name}") for name in ("started", "kept", "dropped")]


def read_wav(path: Path) -> Samples:
    """A WAV file (s16le) at 16 kHz.

    Raises:
        BenchError: `bad_file`.
    """
    try:
        with wave.open(str(path)) as file:
            data, rate, channels = file.readframes(file.getnframes()), file.getframerate(), file.getnchannels()
            width = file.getsampwidth()
    except (OSError, EOFError, wave.Error) as error:
        raise BenchError("bad_file", f"{path} cannot be read: {error}") from None
    if width != 2:
        raise BenchError("bad_file", f"{path} is not 16 bit.")
    sound = np.frombuffer(data, "<i2").reshape(-1, channels).mean(axis=1).astype(np.float32) / 32768
    resampled: Samples = soxr.resample(sound, rate, RATE_HZ).astype(np.float32)
    return resampled


def setting(text: str) -> tuple[str, str]:
    """KEY=VALUE of configs/kitsu.yaml."""
    key, equals, value = text.partition("=")
    if not equals or "." not in key:
        raise ArgumentTypeError("wants SECTION.KEY=VALUE")
    return key, value


async def main(options: Namespace) -> Report:
    """Make the sounds, measure."""
    if options.file:
        sounds = [padded(read_wav(options.file), 0.1, 0.1)]
    else:
        voices = cycle(synthesisers())
        sounds = [padded(await say(text, next(voices)), 0.1, 0.1) for text in SENTENCES]
    count = options.count or (3 if options.quick else 20)
    return await measure(sounds, count, dict(options.settings), options.wav)


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--file", type=Path, metavar="WAV", help="say this (default: synthetic sentences)")
    arguments.add_argument("--count", type=int, metavar="N", help="round trips (20)")
    arguments.add_argument("--wav", type=Path, metavar="OUT", help="write the last answer here")
    arguments.add_argument(
        "--set", dest="settings", type=setting, action="append", default=[], metavar="KEY=VALUE", help="a setting"
    )
    chosen = arguments.parse_args()
    sys.exit(run(main(chosen), as_json=chosen.json))
