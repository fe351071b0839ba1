"""What a launcher that died left behind. Its children stop by themselves (their stdin ended); we make sure."""

import json
from pathlib import Path
from typing import Any

import psutil

GRACE_S = 3.0


def reap(running_file: Path, grace_s: float = GRACE_S) -> list[int]:
    """Wait for the services of a dead launcher to go, then end what is left; returns the ids that had to be ended.

    Only call this while holding the launcher's lock.
    """
    left = [process for pid, created in _noted(running_file) if (process := _same(pid, created))]
    family = left + [child for process in left for child in _children(process)]
    _, alive = psutil.wait_procs(family, timeout=grace_s)
    for process in alive:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(alive, timeout=grace_s)
    running_file.unlink(missing_ok=True)
    return [process.pid for process in alive]


def _noted(running_file: Path) -> list[tuple[int, float]]:
    try:
        data: Any = json.loads(running_file.read_text(encoding="utf-8"))
        return [(int(pid), float(created)) for pid, created in data["services"].values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _same(pid: int, created: float) -> psutil.Process | None:
    """The process, unless its id was given to another one since."""
    try:
        process = psutil.Process(pid)
        return process if abs(process.create_time() - created) < 0.05 else None
    except (psutil.Error, ValueError, OverflowError):
        return None


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []
