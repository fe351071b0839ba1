"""`kitsu start --foreground`: the show lives as long as we do, and its logs go to the terminal."""

import signal
import subprocess
import threading
from types import FrameType

from kitsu.home import Home
from kitsu_cli.exits import Exit
from kitsu_cli.logview import Follower, render


def stay(where: Home, launcher: subprocess.Popen[bytes]) -> Exit:
    """Show logs until Ctrl-C or until the launcher ends; then nothing of the show is left."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        asked.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), ask)
    follower = Follower(where.logs, None)
    follower.skip_to_end()
    while launcher.poll() is None:
        for entry in follower.new():
            print(render(entry), flush=True)
        if asked.wait(0.2) and launcher.stdin is not None and not launcher.stdin.closed:
            launcher.stdin.close()
    for entry in follower.new():
        print(render(entry), flush=True)
    return Exit.OK if asked.is_set() else Exit.NO
