"""Processes that a worker has beside itself, for what may hang or crash: their stderr and their end."""

import asyncio
import sys
from contextlib import suppress


def child_stderr() -> int:
    """Where a child writes what it has to complain about: where we do, or nowhere (a service may have no stderr)."""
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return asyncio.subprocess.DEVNULL


async def stop_child(process: asyncio.subprocess.Process, within_s: float) -> None:
    """End one that stops when its stdin is closed, and wait until it is gone; after `within_s` it is killed."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(within_s):
            await process.wait()
    except TimeoutError:
        kill_child(process)
        await process.wait()


def kill_child(process: asyncio.subprocess.Process) -> None:
    """At once; one that is gone already is no news."""
    with suppress(ProcessLookupError):
        process.kill()
