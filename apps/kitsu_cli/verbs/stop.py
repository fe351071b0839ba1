"""`kitsu stop`: when it returns, no process, no port and no lock is left."""

import time
from argparse import Namespace

import psutil

from kitsu.filelock import FileLock
from kitsu.home import Home, home
from kitsu.leftovers import reap
from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.rest import Door
from kitsu_cli.verbs.start import running_launcher

POLL_S = 0.02


def run(arguments: Namespace) -> int:
    """Stop everything, or the services named. Nothing to stop is fine."""
    try:
        launcher = running_launcher()
    except VerbError as error:
        if error.exit_code is not Exit.TIMEOUT:
            raise
        launcher = None  # it hangs
    if launcher is None:
        ended = clear_up(home())
        _tell(arguments, "Cleared up what was left of Kitsu." if ended else "Kitsu does not run.", [])
    elif arguments.services:
        for name in arguments.services:
            launcher.post(f"/services/{name}/stop", timeout_s=arguments.timeout)
        _tell(arguments, f"Stopped: {', '.join(arguments.services)}.", arguments.services)
    else:
        stop_all(launcher, arguments.timeout)
        _tell(arguments, "Kitsu has stopped.", ["all"])
    return Exit.OK


def clear_up(where: Home) -> list[int]:
    """End a launcher that hangs and what a dead one left behind; returns the process ids that had to be ended."""
    ended = reap(where.running_file, launcher_too=True)
    lock = FileLock(where.lock_file)
    if where.lock_file.exists() and lock.acquire():
        lock.release()
    return ended


def stop_all(launcher: Door, timeout_s: float) -> None:
    """Stop the launcher and all services, and wait until the processes are gone.

    Raises:
        VerbError: TIMEOUT.
    """
    status = launcher.get("/status", timeout_s=timeout_s)
    pids = [status["pid"], *(service["pid"] for service in status["services"] if service["pid"])]
    processes = [process for pid in pids if (process := _process(pid))]
    launcher.post("/stop", timeout_s=timeout_s)
    deadline = time.monotonic() + timeout_s
    while any(_runs(process) for process in processes) or home().lock_file.exists():
        if time.monotonic() > deadline:
            raise VerbError(Exit.TIMEOUT, "stop_timeout", f"Not everything had stopped after {timeout_s:g} s.")
        time.sleep(POLL_S)


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.Error:
        return None


def _runs(process: psutil.Process) -> bool:
    """A zombie runs no more: whose child it was has only not looked yet."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _tell(arguments: Namespace, words: str, stopped: list[str]) -> None:
    if arguments.json:
        screen.write_json({"stopped": stopped})
    else:
        print(words)
