"""Installs what is missing, then runs `kitsu` with the same arguments: `bootstrap.py start`, `bootstrap.py status` …

`bootstrap.py test [--long]` installs what the tests need and runs every check. Runs on the system's Python (3.11 or
newer; this file itself on older ones too, to say so) with the standard library only. When nothing changed it only
compares sizes and times. Exit codes are those of `kitsu`; 5 when something could not be installed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
NOT_STARTED, INTERRUPTED = 5, 130
NEWEST_FIRST = ("python3.14", "python3.13", "python3.12", "python3.11")


def main(arguments: list[str]) -> int:
    """Install, then become `kitsu` (or the checks)."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the system's Python may well be older
        return with_newer_python(arguments)
    sys.path.insert(0, str(CHECKOUT / "libs"))
    from install.installation import prepare
    from install.steps import StepError

    try:
        return prepare(CHECKOUT, arguments)
    except StepError as error:
        sys.stderr.write(f"{error}\n")
        return NOT_STARTED
    except KeyboardInterrupt:
        return INTERRUPTED


def with_newer_python(arguments: list[str]) -> int:
    """Start over with a Python that is new enough, if the system has one."""
    for name in NEWEST_FIRST:
        found = shutil.which(name)
        if found:
            return subprocess.call([found, __file__, *arguments])
    sys.stderr.write(f"Kitsu needs Python 3.11 or newer; this is {sys.version.split()[0]}.\n")
    return NOT_STARTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
