"""`kitsu logs`: what the services wrote, in order of time."""

import json
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from kitsu.home import home
from kitsu.services import SERVICES
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.logview import Follower, last, render

FOLLOW_S = 0.2


def run(arguments: Namespace) -> int:
    """Print the last lines and, with -f, those that come."""
    names = ["launcher", *SERVICES]
    if arguments.service is not None and arguments.service not in names:
        message = f"There is no service {arguments.service!r}. There are: {', '.join(names)}."
        raise VerbError(Exit.USAGE, "no_such_service", message)
    folder = home().logs
    show: Callable[[dict[str, Any]], str] = _as_json if arguments.json else render
    follower = Follower(folder, arguments.service)
    try:
        if arguments.follow:
            follower.skip_to_end()
        for entry in last(folder, arguments.service, arguments.lines):
            print(show(entry))
        while arguments.follow:
            for entry in follower.new():
                print(show(entry), flush=True)
            time.sleep(FOLLOW_S)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise VerbError(Exit.FILE, "log_not_read", f"{folder} cannot be read: {error.strerror}.") from None
    return Exit.OK


def _as_json(entry: dict[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False)
