"""Somebody speaks -> Kitsu answers aloud: microphone, recogniser, model, voice, and where the time goes.

Real processes from end to end: a microphone at the control door, the ears, hub, turns, playout, and a listener at the
control door. Time counts from the last voiced sample that went in. With the embedded engines nothing need be
downloaded; `--engines tiny` runs Whisper and Piper with models of a few kilobytes, whose words mean nothing;
`--set asr.engine=faster_whisper` and the like measures others. `--wav` keeps what she answered.
"""

import asyncio
import sys
import tempfile
import wave
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import numpy as np
import soxr

from bench.engine_sets import ENGINE_SETS, EngineSet
from bench.errors import BenchError
from bench.script import Figures, Line, Report, at_most, parser, plain, progress, run
from bench.spoken import RATE_HZ, Samples, padded, say, synthesisers
from bench.stats import p50, p95
from bench.trip import Trip, room

TARGET_MS = 1200.0
MOUTH_MS = 1000.0
SENTENCES = (
    "what game are we going to play tonight",
    "hello kitsu how are you today",
    "can you sing a song for all of us",
    "tell me a joke about a fox",
    "what is your favorite food",
)
GUESSES = tuple(
    (f"{kind}_{end}", f"{title}: {end}")
    for kind, title in (("guesses", "turns begun ahead"), ("stable_guesses", "of them on unchanged words"))
    for end in ("started", "kept", "dropped")
)


async def measure(
    engines: EngineSet, sounds: Sequence[Samples], count: int, settings: dict[str, str], wav: Path | None
) -> Report:
    """`count` round trips with these engines."""
    trips: list[Trip] = []
    with tempfile.TemporaryDirectory() as folder:
        async with room(Path(folder) / "home", engines, settings) as show:
            await show.trip(sounds[0])  # cold caches
            for number, sound in zip(range(count), cycle(sounds), strict=False):
                trip = await show.trip(sound)
                if trip is None:
                    progress(f"{engines.name} {number + 1}: no answer; so far {await show.counts()}")
                    continue
                trips.append(trip)
                how = "guessed" if trip.guessed else "waited for"
                progress(f"{engines.name} {number + 1}: {trip.heard!r} {how}, sound after {trip.sound:.0f} ms")
            counts = await show.counts()
            if wav is not None and trips:
                await asyncio.to_thread(wav.write_bytes, await show.wav())
    if not trips:
        raise BenchError("no_answer", f"Nothing was answered with the engines {engines.name!r}.")
    return report(trips, count, counts)


def side_by_side(reports: dict[str, Report]) -> Report:
    """Several engine sets: the first one's figures under their own names, the others' with the set's name before."""
    (_, first), *others = reports.items()
    figures = dict(first.figures)
    for name, other in others:
        figures |= {f"{name}_{figure}": value for figure, value in other.figures.items()}
    lines = [
        Line(line.title, line.figure, line.target, line.met, [_cell(other, line.figure) for _, other in others])
        for line in first.lines
    ]
    return Report(figures, lines, [name for name, _ in others])


def _cell(other: Report, figure: str) -> str:
    value = other.figures[figure]
    return plain(value) if isinstance(value, int | float) else str(value)


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
    figures |= {name: counts.get(name, 0) for name, _ in GUESSES}
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
        *(Line(title, name) for name, title in GUESSES),
    ]


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
    reports = {}
    for name in options.engines or ["embedded"]:
        reports[name] = await measure(ENGINE_SETS[name], sounds, count, dict(options.settings), options.wav)
    return side_by_side(reports)


if __name__ == "__main__":
    arguments = parser(__doc__)
    arguments.add_argument("--file", type=Path, metavar="WAV", help="say this (default: synthetic sentences)")
    arguments.add_argument("--count", type=int, metavar="N", help="round trips (20)")
    arguments.add_argument("--wav", type=Path, metavar="OUT", help="write the last answer here")
    arguments.add_argument(
        "--engines", choices=ENGINE_SETS, action="append", help="which ones; again for several (embedded)"
    )
    arguments.add_argument(
        "--set", dest="settings", type=setting, action="append", default=[], metavar="KEY=VALUE", help="a setting"
    )
    chosen = arguments.parse_args()
    sys.exit(run(main(chosen), as_json=chosen.json))
