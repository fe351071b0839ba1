"""What the tests need beyond the environment."""

import shutil
import sys

from install import debian
from install.steps import Steps

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


OBS = ("obs", "Xvfb", "ffmpeg")


def missing() -> bool:
    """Whether something is missing that we know how to get."""
    return no_chromium() or (no_obs() and debian.is_root())


def no_chromium() -> bool:
    """Whether there is no Chromium."""
    return sys.platform == "linux" and not any(shutil.which(name) for name in CHROMIUM)


def no_obs() -> bool:
    """Whether there is no OBS Studio that can run without a screen."""
    return sys.platform == "linux" and not all(shutil.which(name) for name in OBS)


def make(steps: Steps) -> None:
    """A real Chromium for the browser tests, and a real OBS, whose tests are skipped where we may not install it.

    Raises:
        StepError: Chromium is missing and we may not install it.
    """
    if no_chromium():
        debian.need(["chromium", "fonts-dejavu-core"], "Chromium (for the browser tests)", steps)
    if no_obs() and debian.is_root():
        packages = ["obs-studio", "xvfb", "libgl1-mesa-dri", "ffmpeg"]
        debian.need(packages, "OBS Studio (for the tests of the link to it)", steps)
