"""Kitsu as a process that another driver runs in turn with other toolkits.

stdin, JSON lines: `{"cmd": "turn", "id": N, "text": …}`, `{"cmd": "interrupt", "id": N}`,
`{"cmd": "pace", "on": bool}`, `{"cmd": "quit"}`. stdout, lines of `@@` and JSON, each with `t` (perf_counter s):
`ready {import_s, pid}` once, `text_in {id}`, `audio {n}` per frame (bytes as 24 kHz mono s16), `interrupt {id}`,
`clear {}`.
Environment: BENCH_LLM_URL and BENCH_TTS_URL (`…/v1`). Pace off: the offline clock, sound comes as fast as it is made.
"""

import asyncio
import json
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.sink import Heard
from bench.toolkit import Cuts, Toolkit, running_toolkit


async def adapt(cuts: Cuts, began: float) -> None:
    """Obey until told to quit. `began`: perf_counter s at the start of this process.

    Raises:
        BenchError: the environment lacks the engines, or the show did not start.
    """
    llm_url, tts_url = (os.environ.get(name, "") for name in ("BENCH_LLM_URL", "BENCH_TTS_URL"))
    if not llm_url or not tts_url:
        raise BenchError("no_engine", "Set BENCH_LLM_URL and BENCH_TTS_URL to the mock engines.")
    with tempfile.TemporaryDirectory(prefix="kitsu-bench-") as folder:
        async with running_toolkit(Path(folder), llm_url, tts_url, cuts) as toolkit:
            toolkit.listener = tell_heard
            tell("ready", time.perf_counter(), import_s=time.perf_counter() - began, pid=toolkit.stack.pid)
            await _obey(toolkit)


async def _obey(toolkit: Toolkit) -> None:
    commands: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    threading.Thread(target=_read, args=(asyncio.get_running_loop(), commands), daemon=True).start()
    while (command := await commands.get())["cmd"] != "quit":
        match command:
            case {"cmd": "turn", "id": number, "text": text}:
                asked = await toolkit.ask(text)
                tell("text_in", asked.text_in, id=number)
            case {"cmd": "interrupt", "id": number}:
                tell("interrupt", time.perf_counter(), id=number)
                await toolkit.interrupt()
            case {"cmd": "pace", "on": on}:
                toolkit.clock = "live" if on else "offline"
            case _:
                continue


def _read(loop: asyncio.AbstractEventLoop, commands: asyncio.Queue[dict[str, Any]]) -> None:
    """A thread: Windows' event loop cannot wait for an anonymous pipe. The end of stdin counts as quit."""
    for line in sys.stdin.buffer:
        try:
            command = json.loads(line)
        except ValueError:
            continue
        loop.call_soon_threadsafe(commands.put_nowait, command)
    loop.call_soon_threadsafe(commands.put_nowait, {"cmd": "quit"})


def tell_heard(heard: Heard) -> None:
    """One of the listener's events, in the contract's words."""
    if heard.kind == "sound":
        tell("audio", heard.at, n=heard.samples)  # as many bytes at 24 kHz as samples at 48 kHz
    elif heard.kind == "clear":
        tell("clear", heard.at)


def tell(event: str, at: float, **values: object) -> None:
    """One line of the contract."""
    sys.stdout.write("@@" + json.dumps({"ev": event, "t": at, **values}) + "\n")
    sys.stdout.flush()
