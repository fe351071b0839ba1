"""`kitsu install coqui`: the coqui voice, in a Python environment of its own."""

from argparse import Namespace

from kitsu.home import home
from kitsu_cli import coqui_environment, screen
from kitsu_cli.asking import somebody_there, yes
from kitsu_cli.exits import Exit, VerbError

ABOUT = (
    "coqui: natural VITS voices; best with a graphics card.",
    "  The code is under the Mozilla Public License 2.0; each voice has a licence of its own.",
    "  XTTS, its cloning model, is for non-commercial use only, what it says included: Kitsu does not fetch it.",
    "  It needs 2 to 6 GB and a few minutes.",
)


def run(arguments: Namespace) -> int:
    """Say what it is, ask, install, try."""
    where = home()
    where.make()
    if not arguments.json:
        screen.write_note(ABOUT)
    if not arguments.yes:
        if arguments.json or not somebody_there():
            raise VerbError(Exit.USAGE, "not_agreed", "Nobody can be asked here. To agree: kitsu install coqui --yes")
        if not yes("Install it?"):
            print("Nothing was installed.")
            return Exit.NO
    device = coqui_environment.make(where, lambda line: None if arguments.json else screen.write_note([line]))
    models = str(where.coqui / "models")
    if arguments.json:
        screen.write_json({"installed": "coqui", "device": device, "models": models})
        return Exit.OK
    print(f"coqui is installed and computes on the {'graphics card' if device == 'cuda' else 'processor'}.")
    print(f"Put a VITS voice (a folder with model.pth and config.json) into {models}, then: kitsu restart tts")
    return Exit.OK
