"""10,000 chat lines a second through the real intake: memory, first sound, commands, and what was dropped.

A launched show answers its chat on the stage with mock engines, first at a trickle of 2 lines a second, then under the
flood; all the while other lines are asked in a conversation of their own, whose first sound is timed. So both phases
have the same work but for the flood. The crowd runs in this process; its CPU is told beside the orchestrator's.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.crowd import Crowd, join
from bench.engines import mock_engines
from bench.errors import BenchError
from bench.memory import cpu_s, memory_mb
from bench.replies import question
from bench.script import Figures, Line, Report, at_most, parser, progress, run
from bench.speeds import Speeds
from bench.stats import p50, p95
from bench.toolkit import Toolkit, running_toolkit

SERVICES = ("orchestrator", "control", "policy", "tts", "playout")  # the crowd plays the platform
SETTINGS = {"show.start": "live", "policy.max_parallel": "6", "tts.max_parallel": "6", "chat.answers": "none"}
TRICKLE_PER_S, FLOOD_PER_S = 2.0, 10_000.0
TURN_TIMEOUT_S = 30.0
SAMPLE_S = 1.0
SETTLE_S = 5.0  # of a phase, before memory counts


@dataclass
class Phase:
    """What one phase showed."""

    first_sound_ms: list[float] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)  # s, MB
    command_ms: list[float] = field(default_factory=list)
    sent: int = 0
    seconds: float = 0.0
    hub_cpu: float = 0.0  # share of one core
    crowd_cpu: float = 0.0


async def measure(*, quick: bool) -> Report:
    """Both phases."""
    seconds = 12.0 if quick else 60.0
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="kitsu-bench-")))
        engines = await opened.enter_async_context(mock_engines(folder, Speeds()))
        toolkit = await opened.enter_async_context(
            running_toolkit(
                folder / "home", engines.llm_url, engines.tts_url, "natural", settings=SETTINGS, only=SERVICES
            )
        )
        pid = await _pid(toolkit)
        crowd = await join(toolkit.stack.place)
        async with _listening(crowd):
            progress(f"idle: {TRICKLE_PER_S:g} lines a second for {seconds:g} s")
            idle = await _phase(toolkit, crowd, pid, TRICKLE_PER_S, seconds)
            progress(f"flood: {FLOOD_PER_S:g} lines a second for {seconds:g} s")
            flood = await _phase(toolkit, crowd, pid, FLOOD_PER_S, seconds)
            status = (await toolkit.stack.door.call("GET", "/status")).json()
    return report(idle, flood, crowd, status["dropped"], status["waiting"])


@asynccontextmanager
async def _listening(crowd: Crowd) -> AsyncIterator[None]:
    task = asyncio.create_task(crowd.listen())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _phase(toolkit: Toolkit, crowd: Crowd, pid: int, lines_per_s: float, seconds: float) -> Phase:
    phase = Phase()
    crowd.command_ms = phase.command_ms
    before, hub, own, began = crowd.sent, cpu_s(pid), time.process_time(), time.perf_counter()
    async with asyncio.TaskGroup() as group:
        talking = group.create_task(crowd.talk(lines_per_s, seconds))
        sampling = group.create_task(_sample(pid, phase))
        asking = group.create_task(_ask(toolkit, phase))
        await talking
        sampling.cancel()
        asking.cancel()
    phase.seconds = time.perf_counter() - began
    phase.sent = crowd.sent - before
    phase.hub_cpu = (cpu_s(pid) - hub) / phase.seconds
    phase.crowd_cpu = (time.process_time() - own) / phase.seconds
    return phase


async def _sample(pid: int, phase: Phase) -> None:
    began = time.perf_counter()
    while True:
        await asyncio.sleep(SAMPLE_S)
        phase.memory.append((time.perf_counter() - began, await asyncio.to_thread(memory_mb, pid)))


async def _ask(toolkit: Toolkit, phase: Phase) -> None:
    """Line after line in the bench's own conversation."""
    number = 0
    while True:
        toolkit.heard.clear()
        asked = await toolkit.ask(question(number))
        heard = await toolkit.first_sound(asked.turn_id, TURN_TIMEOUT_S)
        phase.first_sound_ms.append((heard.at - asked.text_in) * 1000)
        await toolkit.end(asked.turn_id, TURN_TIMEOUT_S)
        number = (number + 1) % 5  # the same lines in both phases


async def _pid(toolkit: Toolkit) -> int:
    rows = (await toolkit.stack.launcher.call("GET", "/status")).json()["services"]
    return int(next(row["pid"] for row in rows if row["name"] == "orchestrator"))


def slope_mb_per_min(memory: list[tuple[float, float]]) -> float:
    """Least squares over what was sampled after the phase had settled."""
    points = [(at, mb) for at, mb in memory if at > SETTLE_S]
    if len(points) < 3:
        raise BenchError("nothing_measured", "The phase was too short for a slope of memory.")
    mean_at = sum(at for at, _ in points) / len(points)
    mean_mb = sum(mb for _, mb in points) / len(points)
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    return 60 * sum((at - mean_at) * (mb - mean_mb) for at, mb in points) / spread


def report(idle: Phase, flood: Phase, crowd: Crowd, dropped: dict[str, float], waiting: int) -> Report:
    """Figures and table.

    Raises:
        BenchError: `nothing_measured`.
    """
    if not (idle.first_sound_ms and flood.first_sound_ms and flood.command_ms):
        raise BenchError("nothing_measured", "No turn or no command came off.")
    figures: Figures = {
        "latency_ratio": round(p50(flood.first_sound_ms) / p50(idle.first_sound_ms), 3),
        "latency_ratio_p95": round(p95(flood.first_sound_ms) / p95(idle.first_sound_ms), 3),
        "idle_first_sound_ms_p50": round(p50(idle.first_sound_ms), 1),
        "flood_first_sound_ms_p50": round(p50(flood.first_sound_ms), 1),
        "flood_first_sound_ms_p95": round(p95(flood.first_sound_ms), 1),
        "memory_mb_slope_per_min": round(slope_mb_per_min(flood.memory), 2),
        "memory_mb_end": round(flood.memory[-1][1], 1),
        "command_ms_p50": round(p50(flood.command_ms), 1),
        "command_ms_p95": round(p95(flood.command_ms), 1),
        "commands_unanswered": crowd.unanswered,
        "lines_per_s": round(flood.sent / flood.seconds, 1),
        "orchestrator_cpu_percent": round(100 * flood.hub_cpu, 1),
        "generator_cpu_percent": round(100 * flood.crowd_cpu, 1),
        "dropped": {reason: float(count) for reason, count in sorted(dropped.items())},
        "dropped_total": int(sum(dropped.values())),
        "unaccounted": int(crowd.sent - sum(dropped.values()) - waiting),
        "turns_timed": len(flood.first_sound_ms),
    }
    return Report(figures, LINES)


LINES = (
    Line("first sound, flood / idle, p50", "latency_ratio", "<= 1.10", at_most(1.10)),
    Line("the same, p95", "latency_ratio_p95"),
    Line("first sound when idle, ms p50", "idle_first_sound_ms_p50"),
    Line("under flood, ms p50", "flood_first_sound_ms_p50"),
    Line("orchestrator's memory, MB a minute", "memory_mb_slope_per_min", "flat: <= 1", at_most(1.0)),
    Line("command to confirmation, ms p50", "command_ms_p50"),
    Line("the same, p95", "command_ms_p95", "<= 100", at_most(100)),
    Line("commands without a confirmation", "commands_unanswered", "0", at_most(0)),
    Line("chat lines a second", "lines_per_s"),
    Line("dropped, all reasons", "dropped_total"),
    Line("neither dropped nor waiting: answered, or commands", "unaccounted"),
    Line("orchestrator, % of a core", "orchestrator_cpu_percent"),
    Line("the crowd itself, % of a core", "generator_cpu_percent"),
)


def main() -> int:
    arguments = parser(__doc__).parse_args()
    return run(measure(quick=arguments.quick), as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
