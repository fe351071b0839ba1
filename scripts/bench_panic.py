"""A click on PANIC in real Chromium -> the last audible sample of the overlay page, and a real OBS on the safe scene.

OBS's own word counts (`CurrentProgramSceneChanged`), as a second client of it hears it. The overlay plays a steady tone
of the mock voice, so that a pause between words cannot pass for silence. Its sound is measured on the way to the
speaker, by WebAudio; both pages share the machine's clock.
"""

import asyncio
import sys
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.browser import Browser, browser
from bench.engines import mock_engines
from bench.errors import BenchError
from bench.real_obs import RealObs, real_obs
from bench.replies import question
from bench.script import Figures, Line, Report, at_most, parser, progress, run
from bench.speeds import Speeds
from bench.stack import Stack, new_place, running_stack
from bench.stats import p50, p95
from bench.toolkit import engine_settings

SPEAKING_S = 0.6  # she has been heard for so long when the button is pressed
LISTEN_S = 0.7  # after the click; sound may still come out
START_TIMEOUT_S = 15.0
LOOK_EVERY_S = 0.02
NUMBER = 3  # of the longest reply


@dataclass(frozen=True, slots=True)
class Press:
    """One press."""

    silent_ms: float  # pointer down -> last audible sample
    safe_ms: float  # pointer down -> OBS says that the safe scene is on air
    exits: dict[str, float]  # exit -> ms, as each measured itself


async def press(stack: Stack, pages: Browser, obs: RealObs) -> Press | None:
    """Let her speak, press, listen. None: the answer was over before the press."""
    before = await pages.last_loud_ms()
    turn_id = (await _post(stack, "/chat", {"text": question(NUMBER), "role": "operator"}))["turn_id"]
    await _speaking(pages, before)
    await asyncio.sleep(SPEAKING_S)
    mark = obs.mark()
    async with pages.control.expect_response("**/api/v1/control/panic") as answering:
        clicked = await pages.click("panic")
    exits = (await (await answering.value).json())["exits"]
    safe = await obs.safe_at_ms(mark)
    await asyncio.sleep(LISTEN_S)
    last = await pages.last_loud_ms()
    turn = (await stack.door.call("GET", f"/turns/{turn_id}")).json()
    mark = obs.mark()
    await _post(stack, "/control/resume")
    await obs.back(mark)
    if turn["outcome"] != "panic":
        progress(f"  the turn was over already: {turn['outcome']}")
        return None
    late = [one["exit"] for one in exits if one["state"] != "confirmed"]
    silent_ms, safe_ms = max(0.0, last - clicked), safe - clicked
    progress(
        f"  silent after {silent_ms:.0f} ms, safe after {safe_ms:.0f} ms; unconfirmed: {', '.join(late) or 'none'}"
    )
    return Press(silent_ms, safe_ms, {_kind(one): float(one["latency_ms"]) for one in exits if not late})


async def _speaking(pages: Browser, before: float) -> None:
    for _ in range(round(START_TIMEOUT_S / LOOK_EVERY_S)):
        if await pages.last_loud_ms() > before + 100:
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise BenchError("no_sound", "The overlay never played anything.")


async def _obs_linked(stack: Stack) -> None:
    for _ in range(round(START_TIMEOUT_S / LOOK_EVERY_S)):
        if (await stack.door.call("GET", "/obs")).json().get("connected"):
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise BenchError("no_obs", "Kitsu did not connect to OBS.")


async def _post(stack: Stack, path: str, body: object = None) -> Any:
    answer = await stack.door.call("POST", path, body)
    if answer.status >= 300:
        raise BenchError("refused", f"POST {path}: {answer.status} {answer.text[:200]}")
    return answer.json()


def _kind(row: dict[str, Any]) -> str:
    return str(row["exit"]).partition(":")[0]


async def measure(*, quick: bool) -> Report:
    """Some presses."""
    presses = []
    async with AsyncExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="kitsu-bench-")))
        engines = await opened.enter_async_context(mock_engines(folder, Speeds()))
        obs = await opened.enter_async_context(real_obs(folder / "obs"))
        settings = engine_settings(engines.llm_url, engines.tts_url, "natural") | obs.settings()
        place = new_place(folder / "home", settings)
        stack = await opened.enter_async_context(running_stack(place))
        pages = await opened.enter_async_context(browser(place, place.token()))
        await _obs_linked(stack)
        for _ in range(5 if quick else 50):
            done = await press(stack, pages, obs)
            if done is not None:
                presses.append(done)
    if not presses:
        raise BenchError("nothing_measured", "Every answer was over before its panic.")
    return report(presses)


def report(presses: list[Press]) -> Report:
    """Figures and table."""
    silent, safe = [one.silent_ms for one in presses], [one.safe_ms for one in presses]
    kinds = sorted({kind for one in presses for kind in one.exits})
    by_exit = {kind: [one.exits[kind] for one in presses if kind in one.exits] for kind in kinds}
    figures: Figures = {
        "panic_ms_p50": round(p50(silent), 1),
        "panic_ms_p95": round(p95(silent), 1),
        "panic_ms_max": round(max(silent), 1),
        "silence_ms_p50": round(p50(silent), 1),
        "silence_ms_p95": round(p95(silent), 1),
        "safe_scene_ms_p50": round(p50(safe), 1),
        "safe_scene_ms_p95": round(p95(safe), 1),
        "safe_scene_ms_max": round(max(safe), 1),
        "presses": len(presses),
        "presses_with_unconfirmed_exits": sum(not one.exits for one in presses),
    }
    figures |= {f"exit_{kind}_ms_p95": round(p95(values), 1) for kind, values in by_exit.items()}
    exits = [Line(f"exit {kind}: its own confirmation, ms p95", f"exit_{kind}_ms_p95") for kind in kinds]
    return Report(figures, (*LINES, *exits))


LINES = (
    Line("click to last audible sample, ms p50", "panic_ms_p50"),
    Line("the same, p95", "panic_ms_p95", "<= 150", at_most(150)),
    Line("the same, slowest", "panic_ms_max"),
    Line("click to OBS on the safe scene, ms p50", "safe_scene_ms_p50"),
    Line("the same, p95", "safe_scene_ms_p95", "<= 150", at_most(150)),
    Line("the same, slowest", "safe_scene_ms_max"),
    Line("presses with an unconfirmed exit", "presses_with_unconfirmed_exits", "0", at_most(0)),
)


def main() -> int:
    arguments = parser(__doc__).parse_args()
    return run(measure(quick=arguments.quick), as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
