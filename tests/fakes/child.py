"""A process as the launcher starts it: `python -m tests.fakes.child HOW`, with how it behaves in one word."""

import asyncio
import os
import sys
from typing import Any

from kitsu.errors import ConfigError, EngineError
from kitsu.telemetry import log
from kitsu.worker import Process, run_process


async def main(process: Process) -> None:
    """Waits to be stopped, unless told to end in another way."""
    how = sys.argv[1]
    if how == "wrong-setting":
        raise ConfigError("bad_setting", "kitsu.yaml, line 1: no.")
    if how == "broken":
        async with asyncio.TaskGroup() as group:
            group.create_task(_fail())
    if how == "done":
        return

    def note(order: dict[str, Any]) -> None:
        log.info("order", verb=order.get("verb"), order=order)

    process.on_order = note
    process.report()
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)  # tidying up may wait
        log.info("tidied.up", pid=os.getpid())


async def _fail() -> None:
    raise EngineError("voice_failed", "The voice is gone.")


if __name__ == "__main__":
    sys.exit(run_process("child", main))
