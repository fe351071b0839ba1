"""`kitsu support-bundle`: what to give to somebody who helps. Nothing is sent."""

import time
from argparse import Namespace
from pathlib import Path

from kitsu.home import home
from kitsu_cli import screen
from kitsu_cli.archive.support import write_bundle
from kitsu_cli.exits import Exit


def run(arguments: Namespace) -> int:
    """Write it, and say what is in it."""
    path = Path(arguments.file or time.strftime("kitsu-support-%Y%m%d-%H%M%S.zip")).absolute()
    files = write_bundle(home(), path)
    if arguments.json:
        screen.write_json({"file": str(path), "files": files})
        return Exit.OK
    screen.write([[(f"Written: {path}", "bold")], *([(f"  {name:<16}{about}", "")] for name, about in files.items())])
    print("It was not sent anywhere: nobody has it until you give it to them. It is plain text; look into it first.")
    return Exit.OK
