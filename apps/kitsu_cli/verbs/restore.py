"""`kitsu restore`: put a backup back while the show does not run."""

from argparse import Namespace
from pathlib import Path

from kitsu.config import load_all, read
from kitsu.errors import ConfigError
from kitsu.home import home
from kitsu_cli import screen
from kitsu_cli.archive.restore import restore
from kitsu_cli.exits import Exit


def run(arguments: Namespace) -> int:
    """Check it, put it back, say what was replaced."""
    files, kept = restore(home(), Path(arguments.file).absolute())
    if arguments.json:
        screen.write_json({"restored": files, "kept": str(kept) if kept else None})
        return Exit.OK
    screen.write([[("Restored:" if files else "Everything was as in the backup already.", "bold")]])
    screen.write([(f"  {name}", "")] for name in files)
    if kept:
        print(f"What was there before: {kept}")
    read.cache_clear()
    try:
        load_all()
    except ConfigError as error:
        screen.write_note([f"The restored settings need a look before the next start: {error.message}"])
    return Exit.OK
