"""What a launcher that died, or hangs, left running. Its services stop by themselves when it dies; we make sure."""

import json
from pathlib import Path
from typing import Any

import psutil

GRACE_S = 3.0


def reap(running_file: Path, grace_s: float = GRACE_S, *, launcher_too: bool = False) -> list[int]:
    """Wait for the services noted in the file to go, then end what is left; returns the ids that had to be ended.

    With `launcher_too` a launcher that still lives is ended first. Otherwise call this only while holding its lock.
    """
    launcher, services = _noted(running_file)
    ended = []
    if launcher_too and (process := _same(launcher)):
        ended += _end([process], grace_s)
    left = [process for noted in services if (process := _same(noted))]
    family = left + [child for process in left for child in _children(process)]
    _, alive = psutil.wait_procs(family, timeout=grace_s)
    ended += _end(alive, grace_s)
    running_file.unlink(missing_ok=True)
    return ended


def _end(processes: list[psutil.Process], grace_s: float) -> list[int]:
    for process in processes:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(processes, timeout=grace_s)
    return [process.pid for process in processes]


Noted = tuple[int, float]  # process id, start time (unix s): together they name a process for good


def _noted(running_file: Path) -> tuple[Noted, list[Noted]]:
    try:
        data: Any = json.loads(running_file.read_text(encoding="utf-8"))
        services = [(int(pid), float(created)) for pid, created in data["services"].values()]
        return (int(data["pid"]), float(data["created"])), services
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return (-1, 0.0), []


def _same(noted: Noted) -> psutil.Process | None:
    """The process, unless its id was given to another one since."""
    pid, created = noted
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
