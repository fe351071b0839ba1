"""How fast the installed voices are: first sound, and real-time factor (computing time / length of the sound).

One process, one utterance at a time, no cache; the sentences are those of the turn benchmark. A factor below 1 keeps up
with speech; below 0.5 it can voice ahead on a busy machine.
"""

import sys
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass

import msgspec

from bench.errors import BenchError
from bench.replies import question, reply_to
from bench.script import Figures, Line, Report, at_most, parser, progress, run
from bench.stats import p50, p95
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines import make
from kitsu_tts.installed import voices


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence."""

    first_ms: float
    took_s: float
    length_s: float


async def measure_voice(choice: str, count: int) -> tuple[float, list[Said]]:
    """Seconds to load, and each sentence."""
    engine, _, name = choice.partition("/")
    said = []
    async with AsyncExitStack() as stack:
        began = time.perf_counter()
        voice = make(msgspec.convert({"engine": engine, "voice": name}, TtsSettings))
        await voice.load(stack)
        loaded_s = time.perf_counter() - began
        for number in range(count):
            text = reply_to(question(number)).split(".")[0] + "."
            began, first, samples, rate_hz = time.perf_counter(), 0.0, 0, 1
            async with aclosing(voice.speak(text)) as chunks:
                async for chunk in chunks:
                    first = first or time.perf_counter() - began
                    samples, rate_hz = samples + len(chunk.pcm) // 2, chunk.rate_hz
            said.append(Said(first * 1000, time.perf_counter() - began, samples / rate_hz))
    return loaded_s, said


async def measure(*, quick: bool) -> Report:
    """All installed voices."""
    figures: Figures = {}
    lines: list[Line] = []
    for choice in voices():
        loaded_s, said = await measure_voice(choice, 5 if quick else 20)
        name = "".join(letter if letter.isalnum() else "_" for letter in choice)
        factors = [one.took_s / one.length_s for one in said]
        figures |= {
            f"{name}_load_s": round(loaded_s, 3),
            f"{name}_first_audio_ms_p50": round(p50([one.first_ms for one in said]), 2),
            f"{name}_first_audio_ms_p95": round(p95([one.first_ms for one in said]), 2),
            f"{name}_realtime_factor_p50": round(p50(factors), 4),
        }
        lines += [
            Line(f"{choice}: load, s", f"{name}_load_s"),
            Line(f"{choice}: first sound, ms p50", f"{name}_first_audio_ms_p50"),
            Line(f"{choice}: first sound, ms p95", f"{name}_first_audio_ms_p95"),
            Line(f"{choice}: real-time factor, p50", f"{name}_realtime_factor_p50", "<= 0.5", at_most(0.5)),
        ]
        progress(f"{choice}: first sound {figures[f'{name}_first_audio_ms_p50']} ms")
    if not lines:
        raise BenchError("nothing_measured", "No voice is installed. `kitsu doctor` says why.")
    return Report(figures, tuple(lines))


def main() -> int:
    arguments = parser(__doc__).parse_args()
    return run(measure(quick=arguments.quick), as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
