"""What the tests need beyond the environment."""

import shutil
import sys

from install import debian
from install.steps import Steps

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def missing() -> bool:
    """Whether there is no Chromium that we know how to get."""
    return sys.platform == "linux" and not any(shutil.which(name) for name in CHROMIUM)


def make(steps: Steps) -> None:
    """A real Chromium for the browser tests.

    Raises:
        StepError: it is missing and we may not install it.
    """
    if missing():
        debian.need(["chromium", "fonts-dejavu-core"], "Chromium (for the browser tests)", steps)
