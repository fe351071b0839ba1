"""`kitsu login twitch`: let Kitsu read and write a channel's chat."""

import json
import subprocess
import sys
from argparse import Namespace
from typing import Any

from kitsu.config import load_all
from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.running import doors


def run(arguments: Namespace) -> int:
    """Log in, in a process of its own: the command itself stays light."""
    load_all()
    answer = _answer()
    if "login" not in answer:
        raise VerbError(Exit.REFUSED, answer.get("code", "login_failed"), answer.get("message", "The login failed."))
    restarted = _restart()
    if arguments.json:
        screen.write_json({**answer, "restarted": restarted})
    else:
        print(screen.plain(f"Logged in at Twitch as {answer['login']}. The login is kept in secrets/."))
        print("Kitsu reads the chat now." if restarted else "Next: kitsu start, then kitsu live.")
    return Exit.OK


def _answer() -> dict[str, Any]:
    command = [sys.executable, "-m", "kitsu_twitch.login"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=False)
    if done.returncode == Exit.INTERRUPTED:
        raise VerbError(Exit.INTERRUPTED, "interrupted", "Nothing was changed.")
    try:
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise VerbError(
            Exit.NO, "login_failed", "The login ended without a word; what it wrote stands above."
        ) from None
    return answer


def _restart() -> bool:
    """A show that runs takes the new login at once."""
    try:
        doors().launcher.post("/services/twitch/restart", timeout_s=20.0)
    except VerbError:
        return False
    return True
