"""The whole installation: nothing to do, or one step after the other, one process at a time."""

import os
import subprocess
import sys
import time
from pathlib import Path

from install import environment, pages, tests
from install.places import Places
from install.steps import StepError, Steps
from kitsu.filelock import FileLock
from kitsu.home import home

NOT_RUNNING, INTERRUPTED = 4, 130
INSTALLING = ("start", "restart")  # the other verbs must be quick, and without a start they have nothing to do


def prepare(checkout: Path, arguments: list[str]) -> int:
    """Bring the installation up to date where the verb wants it, then hand over to `kitsu` or to the checks.

    Raises:
        StepError: something could not be installed.
    """
    places = Places(checkout, home().logs)
    if arguments[:1] == ["test"]:
        ensure(places, testing=True)
        return become([str(places.python), str(checkout / "scripts" / "check.py"), *arguments[1:]])
    if arguments and arguments[0] in INSTALLING:
        ensure(places)
    elif not places.python.exists():
        sys.stderr.write("Nothing is installed yet. Run: scripts/run_all.sh start\n")
        return NOT_RUNNING
    return become([str(places.python), "-P", "-m", "kitsu_cli", *arguments])


def ensure(places: Places, *, testing: bool = False) -> None:
    """Everything is installed and built.

    Raises:
        StepError: something could not be installed.
    """
    lock = environment.DEV_LOCK if testing else environment.LOCK
    if environment.fresh(places, lock) and pages.fresh(places) and not (testing and tests.missing()):
        return
    steps = Steps(places.install_log)
    turnstile = FileLock(places.lock)
    wait_for(turnstile, steps)
    try:
        if not environment.fresh(places, lock):
            environment.make(places, lock, steps)
        if testing:
            tests.make(steps)
        if not pages.fresh(places):
            pages.make(places, steps)
    finally:
        turnstile.release()
    steps.say("installed")


def wait_for(turnstile: FileLock, steps: Steps) -> None:
    """Wait while another process installs.

    Raises:
        StepError: the checkout cannot be written.
    """
    told = False
    while not _acquired(turnstile):
        if not told:
            steps.say("another process is installing; waiting for it")
            told = True
        time.sleep(0.2)


def _acquired(turnstile: FileLock) -> bool:
    try:
        return turnstile.acquire()
    except OSError as error:
        raise StepError(f"{turnstile.path} cannot be written: {error.strerror}.") from None


if sys.platform != "win32":

    def become(command: list[str]) -> int:
        """Hand over to the program."""
        sys.stdout.flush()
        os.execv(command[0], command)

else:

    def become(command: list[str]) -> int:
        """Windows cannot hand over: wait for the program."""
        try:
            return subprocess.call(command)
        except KeyboardInterrupt:
            return INTERRUPTED
