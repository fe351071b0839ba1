"""Debian packages: installed by root, spelled out for everybody else."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from install.steps import StepError, Steps


def is_root() -> bool:
    """Whether we may install system packages."""
    return sys.platform != "win32" and os.geteuid() == 0


def need(packages: Sequence[str], why: str, steps: Steps) -> None:
    """Install the packages, or say exactly how.

    Raises:
        StepError: not root, or no apt-get.
    """
    names = " ".join(packages)
    apt = shutil.which("apt-get")
    if apt is None:
        raise StepError(f"{why} is missing. Install what your system calls: {names}")
    if not is_root():
        raise StepError(f"{why} is missing. Run: sudo apt-get install {names}")
    steps.say(f"installing {names} (Debian)")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    steps.run([apt, "update", "-q"], cwd=Path("/"), env=quiet)
    steps.run([apt, "install", "-q", "-y", "--no-install-recommends", *packages], cwd=Path("/"), env=quiet)
