"""`kitsu start` -> first spoken sample, the memory of every process, and `kitsu stop`: embedded engines, an empty home.

The first word is that of a chat line sent the moment `kitsu start` has returned: the time until then, plus what
`POST /chat` says about its first sample leaving the clock.
"""

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.memory import cpu_s, memory_mb, runs
from bench.rest import Door
from bench.script import Figures, Line, Report, at_most, parser, progress, run
from bench.stack import Place, new_place, place_doors
from bench.stats import p50

COMMAND_TIMEOUT_S = 90.0
SETTLE_S = 3.0
IDLE_S = 5.0
QUESTION = "Hello, who are you?"
SPINE = ("launcher", "orchestrator", "control", "policy", "tts", "playout")  # what any show needs


@dataclass(frozen=True, slots=True)
class Start:
    """One start, use and stop."""

    ready_s: float  # `kitsu start` took so long
    first_word_s: float
    first_audio_ms: float  # of that, the turn itself
    stop_s: float
    left: int  # processes that outlived `kitsu stop`
    pss_mb: dict[str, float]  # by process, idle
    idle_cpu_percent: float  # of one core, all processes


async def one_start(place: Place) -> Start:
    """Start, speak, look, stop.

    Raises:
        BenchError: a command failed, or nothing was spoken.
    """
    began = time.perf_counter()
    try:
        await kitsu(place, "start")
        ready_at = time.perf_counter()
        async with place_doors(place) as (launcher, door):
            body = {"text": QUESTION, "role": "operator", "wait": True, "timeout_s": 30}
            answer = await door.call("POST", "/chat", body)
            first_audio_ms = _spoken(answer.json()) if answer.status == 200 else 0.0
            if not first_audio_ms:
                raise BenchError("nothing_spoken", f"POST /chat: {answer.status} {answer.text[:300]}")
            pids = await _pids(launcher)
            await asyncio.sleep(SETTLE_S)
            memory = {name: memory_mb(pid) for name, pid in pids.items()}
            before = sum(cpu_s(pid) for pid in pids.values())
            await asyncio.sleep(IDLE_S)
            idle_cpu = (sum(cpu_s(pid) for pid in pids.values()) - before) / IDLE_S * 100
    finally:
        stopping = time.perf_counter()
        await kitsu(place, "stop")
    stopped = time.perf_counter()
    left = sum(runs(pid) for pid in pids.values())
    first_word_s = answer.sent_at - began + first_audio_ms / 1000
    return Start(ready_at - began, first_word_s, first_audio_ms, stopped - stopping, left, memory, idle_cpu)


async def kitsu(place: Place, verb: str) -> None:
    """Run the installed command.

    Raises:
        BenchError: `command_failed`.
    """
    command = Path(sys.executable).parent / "kitsu"
    try:
        process = await asyncio.create_subprocess_exec(
            *(str(command), verb),
            env=place.environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except FileNotFoundError:
        raise BenchError("not_installed", f"{command} is missing. Install Kitsu first.") from None
    assert process.stdout
    try:
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            said = await process.stdout.read()
            code = await process.wait()
    except TimeoutError:
        process.kill()
        raise BenchError("command_failed", f"kitsu {verb}: not done after {COMMAND_TIMEOUT_S:g} s") from None
    if code != 0:
        raise BenchError("command_failed", f"kitsu {verb} ended with {code}: {said.decode(errors='replace')[-600:]}")


def _spoken(turn: dict[str, Any]) -> float:
    return float(turn["first_audio_ms"]) if turn["outcome"] == "spoken" else 0.0


async def _pids(launcher: Door) -> dict[str, int]:
    status = (await launcher.call("GET", "/status")).json()
    running = {row["name"]: int(row["pid"]) for row in status["services"] if row["pid"]}
    return {"launcher": int(status["pid"]), **running}


async def measure(*, quick: bool) -> Report:
    """Some starts."""
    starts = []
    for number in range(2 if quick else 7):
        with tempfile.TemporaryDirectory(prefix="kitsu-bench-") as folder:
            start = await one_start(new_place(Path(folder), {}))
        progress(f"  start {number}: ready {start.ready_s:.2f} s, first word {start.first_word_s:.2f} s")
        starts.append(start)
    return report(starts)


def report(starts: list[Start]) -> Report:
    """Figures and table."""
    names = starts[0].pss_mb
    by_process = {name: round(p50([start.pss_mb[name] for start in starts]), 1) for name in names}
    figures: Figures = {
        "first_word_s_p50": round(p50([start.first_word_s for start in starts]), 3),
        "first_word_s_max": round(max(start.first_word_s for start in starts), 3),
        "ready_s_p50": round(p50([start.ready_s for start in starts]), 3),
        "first_audio_ms_p50": round(p50([start.first_audio_ms for start in starts]), 1),
        "stop_s_p50": round(p50([start.stop_s for start in starts]), 3),
        "left_processes": sum(start.left for start in starts),
        "pss_mb": round(p50([sum(start.pss_mb[name] for name in SPINE) for start in starts]), 1),
        "pss_mb_all": round(p50([sum(start.pss_mb.values()) for start in starts]), 1),
        "pss_mb_by_process": by_process,
        "idle_cpu_percent": round(p50([start.idle_cpu_percent for start in starts]), 2),
        "starts": len(starts),
    }
    flat = {f"pss_mb_{name}": value for name, value in by_process.items()}
    memory = [Line(f"  {name}", f"pss_mb_{name}") for name in by_process]
    return Report(figures | flat, (*LINES, *memory), ("Open-LLM-VTuber 1.2.1", "others"))


LINES = (
    Line("start to first word, s p50", "first_word_s_p50", "<= 3", at_most(3)),
    Line("the same, slowest", "first_word_s_max"),
    Line("`kitsu start`, s p50", "ready_s_p50", "", None, ("4.1",)),
    Line("chat line to first sample, ms p50", "first_audio_ms_p50"),
    Line("`kitsu stop`, s p50", "stop_s_p50"),
    Line("processes that outlived it", "left_processes", "0", at_most(0)),
    Line("CPU of one core when idle, %", "idle_cpu_percent"),
    Line("memory of the spine when idle (PSS), MB", "pss_mb", "<= 250", at_most(250), ("", "144-244, one process")),
    Line("memory of all, MB", "pss_mb_all", "<= 600", at_most(600)),
)


def main() -> int:
    arguments = parser(__doc__).parse_args()
    return run(measure(quick=arguments.quick), as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
