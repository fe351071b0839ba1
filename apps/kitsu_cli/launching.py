"""Starting the launcher: detached from the terminal, or attached to us by a pipe."""

import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kitsu.home import Home
from kitsu_cli.exits import Exit, VerbError

ANSWER_WITHIN_S = 30.0
COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "kitsu_launcher")
EXITS = {"port_in_use": Exit.PORT_IN_USE, "bad_setting": Exit.SETTINGS, "bad_yaml": Exit.SETTINGS}
EXITS |= {"home_not_writable": Exit.SETTINGS, "bad_token_file": Exit.SETTINGS}


@dataclass(slots=True)
class Launched:
    """A launcher that said it starts."""

    process: subprocess.Popen[bytes]
    other_runs: bool = False  # somebody else's start was quicker: theirs counts


def launch(where: Home, services: Sequence[str], *, attached: bool) -> Launched:
    """Start the launcher and wait for its word.

    Raises:
        VerbError: PORT_IN_USE, SETTINGS, NOT_STARTED, with the launcher's own message.
    """
    arguments = [
        *COMMAND,
        *(("--only", ",".join(services)) if services else ()),
        *(("--attached",) if attached else ()),
    ]
    errors = where.logs / "launcher-start.log"
    with errors.open("wb") as stderr:
        process = _popen(arguments, stderr, attached=attached)
    watchdog = threading.Timer(ANSWER_WITHIN_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        with process.stdout as stdout:
            word = _word(stdout.readline())
    finally:
        watchdog.cancel()
    if word.get("started") is True:
        return Launched(process)
    process.wait()
    error = word.get("error", {})
    if error.get("code") == "already_running":
        return Launched(process, other_runs=True)
    message = error.get("message") or f"The launcher ended before it said a word. {last_words(errors)}".strip()
    raise VerbError(EXITS.get(error.get("code", ""), Exit.NOT_STARTED), error.get("code", "not_started"), message)


def last_words(path: Path) -> str:
    """The last line of a raw error log; empty when there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:300] if lines else ""


def _word(line: bytes) -> dict[str, Any]:
    try:
        word = json.loads(line)
    except ValueError:
        return {}
    return word if isinstance(word, dict) else {}


if sys.platform != "win32":

    def _popen(arguments: Sequence[str], stderr: IO[bytes], *, attached: bool) -> subprocess.Popen[bytes]:
        stdin = subprocess.PIPE if attached else subprocess.DEVNULL
        return subprocess.Popen(arguments, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, start_new_session=True)

else:

    def _popen(arguments: Sequence[str], stderr: IO[bytes], *, attached: bool) -> subprocess.Popen[bytes]:
        stdin = subprocess.PIPE if attached else subprocess.DEVNULL
        flags = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
        try:
            return subprocess.Popen(
                arguments,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                creationflags=flags | subprocess.CREATE_BREAKAWAY_FROM_JOB,
            )
        except PermissionError:  # the terminal's job lets nobody leave: then we end with the terminal
            return subprocess.Popen(arguments, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, creationflags=flags)
