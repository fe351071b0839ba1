"""`kitsu open`: a fresh sign-in link for the control page; opens the browser where there is one."""

import os
import sys
import webbrowser
from argparse import Namespace

from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.rest import Door
from kitsu_cli.running import doors


def run(arguments: Namespace) -> int:
    """Print the link and, on a desktop, open it."""
    url = sign_in_link(doors().control)
    if arguments.json:
        screen.write_json({"url": url})
        return Exit.OK
    print(url)
    if not arguments.only_print and _has_desktop():
        webbrowser.open(url)
    return Exit.OK


def sign_in_link(control: Door) -> str:
    """A link that signs in one browser, once, within ten minutes.

    Raises:
        VerbError: the control door does not answer, or refuses.
    """
    answer = control.post("/auth/link", {})
    if not isinstance(answer, dict) or not isinstance(answer.get("url"), str):
        raise VerbError(Exit.REFUSED, "bad_answer", f"What answers at {control.url} does not speak like Kitsu.")
    return str(answer["url"])


def _has_desktop() -> bool:
    """Somebody sits here, and a browser would have a window (never a text browser in their terminal)."""
    if not sys.stdout.isatty():
        return False
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
