"""A process under the launcher: a heartbeat on stdout, orders on stdin, logs on stderr.

Heartbeat, one JSON line a second and on change: `{"ready": true, "state": "ok", "reason": ""}`.
Orders, one JSON line each: `{"verb": "stop"}`, `{"verb": "panic", …}`. End of file means stop: when the launcher
dies, its children go too, on Windows as on Linux. Without a launcher (stdin is a terminal) none of this happens.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Literal, TypedDict

from kitsu.errors import ConfigError, KitsuError
from kitsu.telemetry import log, setup_logs

HEARTBEAT_S = 1.0
MAX_ORDER_BYTES = 64 << 10
EXIT_FAILED = 1
EXIT_CONFIG = 3  # restarting does not help

State = Literal["ok", "degraded", "failed"]


class Beat(TypedDict):
    """One heartbeat."""

    ready: bool
    state: State
    reason: str


class Process:
    """This process, as the launcher sees it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.stopping = asyncio.Event()
        self.on_order: Callable[[dict[str, Any]], None] = lambda order: None
        self.loaded: Callable[[], None] = lambda: None  # called once, when all that this process needs is there
        self.grace_s = 0.0  # how long `main` may take to end by itself after `stopping`, before it is cancelled
        self._beat: Beat = {"ready": False, "state": "ok", "reason": "starting"}
        self._supervised = not sys.stdin.isatty()
        self._loaded = False

    def report(self, *, ready: bool = True, state: State = "ok", reason: str = "") -> None:
        """Say how this process is; sent at once when it changed."""
        if not self._loaded:
            self._loaded = True
            self.loaded()
        beat: Beat = {"ready": ready, "state": state, "reason": reason}
        if beat != self._beat:
            self._beat = beat
            self._write()

    async def run(self, main: Coroutine[Any, Any, None]) -> None:
        """Run `main` until it ends or the launcher says stop."""
        if self._supervised:
            threading.Thread(
                target=_read_orders, args=(asyncio.get_running_loop(), self._order), name="orders", daemon=True
            ).start()
        async with asyncio.TaskGroup() as group:
            beats = group.create_task(self._heartbeats())
            task = group.create_task(main)
            stop = group.create_task(self.stopping.wait())
            await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({task}, timeout=self.grace_s)
            for running in (task, stop, beats):
                running.cancel()

    def _order(self, order: dict[str, Any] | None) -> None:
        if order is None or order.get("verb") == "stop":
            self.stopping.set()
        else:
            self.on_order(order)

    async def _heartbeats(self) -> None:
        while True:
            self._write()
            await asyncio.sleep(HEARTBEAT_S)

    def _write(self) -> None:
        if not self._supervised:
            return
        try:
            sys.stdout.write(json.dumps(self._beat) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError):  # nobody reads any more: the launcher is gone
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - what is unread must not fail the exit
            self.stopping.set()


def _read_orders(loop: asyncio.AbstractEventLoop, deliver: Callable[[dict[str, Any] | None], None]) -> None:
    """Reads stdin in a thread: Windows' event loop cannot wait for an anonymous pipe."""

    def hand_over(order: dict[str, Any] | None) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(deliver, order)

    for line in _lines(sys.stdin.fileno()):
        try:
            order = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(order, dict):
            hand_over(order)
    hand_over(None)


def _lines(descriptor: int) -> Iterator[bytes]:
    """Lines until the end of file.

    Around `sys.stdin`: a thread that waits inside it holds its lock, and Python aborts when it ends meanwhile.
    """
    rest = b""
    while chunk := os.read(descriptor, MAX_ORDER_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
        if len(rest) > MAX_ORDER_BYTES:  # nobody sends orders of such a length
            rest = b""


def run_process(name: str, main: Callable[[Process], Coroutine[Any, Any, None]]) -> int:
    """The body of every app's `__main__`.

    Sets up logs, leaves Ctrl-C to the launcher, and turns errors into one log line and an exit code: 3 for a wrong
    setting (a restart does not help), 1 for anything else.
    """
    setup_logs(name)
    if not sys.stdin.isatty():
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    async def start() -> None:
        process = Process(name)
        process.loaded = gc.freeze  # looking that through again and again would take a turn's time
        await process.run(main(process))

    code = 0
    try:
        asyncio.run(start())
    except* KitsuError as group:
        error = _first(group)
        log.error("process.failed", code=error.code, message=error.message)
        code = EXIT_CONFIG if isinstance(error, ConfigError) else EXIT_FAILED
    except* KeyboardInterrupt:
        code = 0
    return code


def _first(group: BaseExceptionGroup[KitsuError]) -> KitsuError:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, KitsuError)
    return error
