"""`kitsu transcribe FILE`: what is said in a sound file, by the ears of the show that runs."""

from argparse import Namespace
from pathlib import Path

from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.running import doors

WORK_S = 1800.0
MAX_BYTES = 64 << 20


def run(arguments: Namespace) -> int:
    """Send it, wait, print the words."""
    path = Path(arguments.file)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            if size > MAX_BYTES:
                raise VerbError(Exit.REFUSED, "file_too_long", f"{path.name} is over {MAX_BYTES >> 20} MiB.")
            question = f"?language={arguments.language}" if arguments.language else ""
            answer = doors().orchestrator.send(f"/transcribe{question}", file, size, timeout_s=WORK_S)
    except OSError as error:
        raise VerbError(Exit.USAGE, "no_file", f"{path} cannot be read: {error.strerror}.") from None
    if arguments.json:
        screen.write_json(answer)
    else:
        print(screen.plain(answer["text"]) or "(no words)")
    return Exit.OK
