"""Text in -> first sound: a launched show, mock engines of fixed speeds, public REST, a public listener.

`--adapter` speaks a line-JSON contract on stdin and stdout instead, so that a driver can run Kitsu in turn with other
toolkits (scripts/bench/peers.json has its entries). `--self-check` shows that the real path is measured: without the
voice's process there must be no sound.
"""

import asyncio
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from bench.adapter import adapt
from bench.engines import Engines, mock_engines
from bench.errors import BenchError
from bench.replies import question
from bench.script import Report, exit_code, parser, progress, run
from bench.speeds import Speeds
from bench.toolkit import Cuts, Toolkit, running_toolkit
from bench.turn_report import Measured, report
from bench.turns import barge_in, many_turns, one_turn

BEGAN = time.perf_counter()
SLOW_VOICE = Speeds(realtime_factor=2.0)
STALL_S = 6.0  # without a voice, this long without sound counts as stalled


async def measure(*, quick: bool) -> Report:
    """All rows."""
    natural, eager, slow, barges = (8, 8, 5, 3) if quick else (100, 40, 20, 12)
    measured = Measured()
    async with AsyncExitStack() as opened:
        toolkit, engines = await _open(opened, "natural", Speeds())
        measured.natural = await many_turns(toolkit, engines, range(natural))
        progress("interruption and new line")
        for number in range(barges):
            if (one := await barge_in(toolkit, engines, number)) is not None:
                measured.barge_ins.append(one)
    async with AsyncExitStack() as opened:
        measured.eager = await many_turns(*await _open(opened, "eager", Speeds()), range(eager))
    async with AsyncExitStack() as opened:
        progress("slow voice")
        measured.slow = await many_turns(*await _open(opened, "natural", SLOW_VOICE), range(slow))
    if not measured.barge_ins:
        raise BenchError("nothing_measured", "Not one interruption came off.")
    return report(measured)


async def self_check() -> Report:
    """With the voice stopped nothing may be heard; with it back, everything is."""
    async with AsyncExitStack() as opened:
        toolkit, engines = await _open(opened, "natural", Speeds())
        heard_before = await one_turn(toolkit, engines, 0) is not None
        await toolkit.stack.service("tts", "stop")
        silent = await _is_silent(toolkit)
        await toolkit.stack.service("tts", "start")
        await toolkit.stack.wait_until_ready()
        heard_after = await one_turn(toolkit, engines, 2) is not None
    if not (heard_before and silent and heard_after):
        raise BenchError("not_the_real_path", f"heard {heard_before}, silent {silent}, heard again {heard_after}")
    return Report({"stalled_without_voice": True}, ())


async def _is_silent(toolkit: Toolkit) -> bool:
    toolkit.heard.clear()
    await toolkit.ask(question(1))
    await asyncio.sleep(STALL_S)
    return not any(one.kind == "sound" for one in toolkit.heard)


async def _open(opened: AsyncExitStack, cuts: Cuts, speeds: Speeds) -> tuple[Toolkit, Engines]:
    folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="kitsu-bench-")))
    engines = await opened.enter_async_context(mock_engines(folder, speeds))
    toolkit = await opened.enter_async_context(running_toolkit(folder / "home", engines.llm_url, engines.tts_url, cuts))
    progress(f"{cuts} cuts: ready after {toolkit.stack.ready_s:.2f} s")
    return toolkit, engines


def main() -> int:
    made = parser(__doc__)
    made.add_argument("--adapter", action="store_true", help="be the process of the driver's contract")
    made.add_argument("--cuts", choices=("natural", "eager"), default="natural", help="of --adapter")
    made.add_argument("--self-check", action="store_true", help="show that the real path is measured")
    arguments = made.parse_args()
    if arguments.adapter:
        return exit_code(adapt(arguments.cuts, BEGAN))
    measuring = self_check() if arguments.self_check else measure(quick=arguments.quick)
    return run(measuring, as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
