"""Makes the Python environment of the coqui voice: its pins clash with Kitsu's own."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kitsu.home import CHECKOUT, Home
from kitsu_cli.exits import Exit, VerbError

PACKAGES = ("coqui-tts", "six", "torch")  # coqui-tts imports six without asking for it
FOR_XTTS = ("torchaudio", "torchcodec")  # speaking with VITS uses neither
CONSTRAINTS = "requirements-coqui.txt"
_CHECK = (
    "import sys; sys.path.insert(0, sys.argv[1]); import coqui_child; coqui_child.admit_coqui(); "
    "from TTS.utils.synthesizer import Synthesizer; import torch; print('cuda' if torch.cuda.is_available() else 'cpu')"
)
_CHECK_XTTS = "import torchaudio, torchcodec; from TTS.tts.models.xtts import Xtts; print('works')"

Say = Callable[[str], None]


def make(home: Home, say: Say) -> str:
    """Install and try it; returns where torch computes: `cuda` or `cpu`. What is whole already is left alone.

    Raises:
        VerbError: something could not be installed, or does not work; nothing says then that it is installed.
    """
    folder = home.coqui
    python = _python(folder)
    stamp = folder / "installed"
    stamp.unlink(missing_ok=True)
    (folder / "models").mkdir(parents=True, exist_ok=True)
    if not python.exists():
        say("making an environment")
        _run([sys.executable, "-m", "venv", folder / "venv"], folder)
    say("installing coqui-tts and torch (some minutes, 2 to 6 GB)")
    _pip(python, PACKAGES, folder)
    say("trying it")
    device = _run([python, "-I", "-c", _CHECK, CHECKOUT / "apps" / "kitsu_tts"], folder).strip().splitlines()[-1]
    stamp.write_text(device, encoding="utf-8")
    return device


def add_xtts(home: Home, say: Say) -> None:
    """Install and try what XTTS models want besides. VITS voices speak with or without it.

    Raises:
        VerbError: `install_failed`; the voices that were there still speak.
    """
    python = _python(home.coqui)
    say("installing torchaudio and torchcodec")
    _pip(python, FOR_XTTS, home.coqui)
    say("trying XTTS")
    _run([python, "-I", "-c", _CHECK_XTTS], home.coqui)


def _python(folder: Path) -> Path:
    return folder / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _pip(python: Path, packages: Sequence[str], folder: Path) -> None:
    pip = [python, "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check"]
    _run([*pip, "--constraint", CHECKOUT / CONSTRAINTS, *packages], folder)


def _run(command: Sequence[object], folder: Path) -> str:
    """What it said. The whole of it lies in `install.log`."""
    words = [str(word) for word in command]
    log = folder / "install.log"
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        raise VerbError(Exit.DOWNLOAD, "install_failed", f"{words[0]} cannot be run: {error.strerror}.") from None
    said = done.stdout.decode("utf-8", "replace")
    with log.open("ab") as file:
        file.write(f"$ {' '.join(words)}\n".encode() + done.stdout + done.stderr)
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-3:]
        advice = f"That did not work; all of it: {log}. Run the same command again to go on."
        raise VerbError(Exit.DOWNLOAD, "install_failed", "\n".join((*last, advice)))
    return said
