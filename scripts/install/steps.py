"""Running a step: one line on the terminal, everything else in the install log."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

FIRST_LINES, LAST_LINES = 8, 20  # of a failed program's output
_LEFT_OUT = (
    "PYTHONHOME",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_REQUIRE_HASHES",
    "PIP_CONSTRAINT",
)


class StepError(Exception):
    """A step failed; the message is for people and says what to do."""


class Steps:
    """Says what is done, when; runs programs quietly."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._began = time.monotonic()
        self._opened = False

    def say(self, what: str) -> None:
        """One line."""
        print(f"{time.monotonic() - self._began:6.1f} s  {what}", flush=True)

    def run(self, command: Sequence[object], *, cwd: Path, env: dict[str, str] | None = None, advice: str = "") -> None:
        """Run a program to its end, output into the log.

        Raises:
            StepError: with the end of the output and `advice`.
        """
        words = [str(word) for word in command]
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab" if self._opened else "wb") as log:
            self._opened = True
            log.write(f"$ {' '.join(words)}\n".encode())
            log.flush()
            start = log.tell()
            try:
                code = subprocess.call(
                    words, cwd=cwd, env=_clean(env or {}), stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            except OSError as error:
                raise StepError(f"{words[0]} cannot be run: {error.strerror}. {advice}".strip()) from None
        if code:
            raise StepError(self._failure(words, code, start, advice))

    def _failure(self, words: list[str], code: int, start: int, advice: str) -> str:
        with self._log.open("rb") as log:
            log.seek(start)
            said = log.read().decode("utf-8", "replace").strip().splitlines()
        if len(said) > FIRST_LINES + LAST_LINES:
            said[FIRST_LINES:-LAST_LINES] = ["…"]
        short = " ".join(Path(word).name if place == 0 else word for place, word in enumerate(words[:4]))
        parts = [
            *(f"    {line}" for line in said),
            f"`{short} …` ended with code {code}.",
            advice,
            f"All of it: {self._log}",
        ]
        return "\n".join(part for part in parts if part)


def _clean(more: dict[str, str]) -> dict[str, str]:
    """Our environment without what would send packages elsewhere; indexes and certificates stay as configured."""
    kept = {key: value for key, value in os.environ.items() if key.upper() not in _LEFT_OUT}
    return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_USER": "0"} | more
