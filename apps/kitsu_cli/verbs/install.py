"""`kitsu install coqui`: the coqui voice, in a Python environment of its own."""

from argparse import Namespace

from kitsu.coqui import CPML
from kitsu.home import home
from kitsu_cli import coqui_environment, screen
from kitsu_cli.asking import somebody_there, yes
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.first_run.env_file import save

ABOUT = (
    "coqui: natural VITS voices; best with a graphics card.",
    "  The code is under the Mozilla Public License 2.0; each voice has a licence of its own.",
    "  XTTS, its cloning model, is for non-commercial use only: Kitsu neither fetches nor loads it by itself.",
    "  It needs 2 to 6 GB and a few minutes.",
)
ABOUT_XTTS = (
    "XTTS models, which you bring yourself (--accept-cpml):",
    *(f"  {line}" for line in screen.wrap(CPML, screen.WIDTH - 2)),
    "  Agreeing lets Kitsu load such a model when you name it (tts.accept_cpml: true in .env).",
)


def run(arguments: Namespace) -> int:
    """Say what it is, ask, install, try."""
    where = home()
    where.make()
    if not arguments.json:
        screen.write_note((*ABOUT, *(ABOUT_XTTS if arguments.accept_cpml else ())))
    if not arguments.yes:
        if arguments.json or not somebody_there():
            raise VerbError(Exit.USAGE, "not_agreed", "Nobody can be asked here. To agree: add --yes.")
        if not yes("Install it?"):
            print("Nothing was installed.")
            return Exit.NO

    def say(line: str) -> None:
        if not arguments.json:
            screen.write_note([line])

    device = coqui_environment.make(where, say)
    if arguments.accept_cpml:
        coqui_environment.add_xtts(where, say)
        save(where, {"KITSU__TTS__ACCEPT_CPML": "true"}, None, by="install")
    models = str(where.coqui / "models")
    if arguments.json:
        accepted = {"accept_cpml": True} if arguments.accept_cpml else {}
        screen.write_json({"installed": "coqui", "device": device, "models": models, **accepted})
        return Exit.OK
    print(f"coqui is installed and computes on the {'graphics card' if device == 'cuda' else 'processor'}.")
    print("A voice for it: kitsu download list coqui")
    print(f"Or put one of your own (a folder with model.pth and config.json) into {models}, then: kitsu restart tts")
    return Exit.OK
