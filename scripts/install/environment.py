"""The Python environment: `.venv`, the locked packages, and the checkout itself."""

import importlib.util
import subprocess
import sys

from install import debian
from install.places import Places
from install.stamps import Stamp
from install.steps import Steps

LOCK = "requirements.lock"
DEV_LOCK = "requirements-dev.lock"


def packages_stamp(places: Places, lock: str) -> Stamp:
    """Installed from this lock."""
    return Stamp(places.stamps / lock, (places.checkout / lock,))


def checkout_stamp(places: Places) -> Stamp:
    """The checkout is importable. Done again after the checkout was moved or the system's Python was replaced."""
    where = f"{places.checkout} {places.python.resolve()}"
    return Stamp(places.stamps / "checkout", (places.checkout / "pyproject.toml",), where)


def fresh(places: Places, lock: str) -> bool:
    """Nothing to do."""
    return places.python.exists() and packages_stamp(places, lock).fresh() and checkout_stamp(places).fresh()


def make(places: Places, lock: str, steps: Steps) -> None:
    """Bring the environment in line with the lock.

    Raises:
        StepError: something could not be installed.
    """
    if not works(places):
        make_venv(places, steps)
    packages = packages_stamp(places, lock)
    if not packages.fresh():
        steps.say(f"installing Python packages from {lock}")
        # --no-deps: the lock is complete, and older pips look past it for newer releases of packages with extras
        pip_install(places, steps, "--require-hashes", "--no-deps", "--requirement", places.checkout / lock)
        packages.write()
    steps.say("installing Kitsu itself")
    pip_install(places, steps, "--no-deps", "--no-build-isolation", "--editable", places.checkout)
    checkout_stamp(places).write()


def works(places: Places) -> bool:
    """The environment's Python runs and has pip."""
    if not places.python.exists():
        return False
    check = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    return subprocess.call([places.python, "-c", check], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def make_venv(places: Places, steps: Steps) -> None:
    """A new, empty environment; Debian's Python may first need its venv module.

    Raises:
        StepError: there is no venv module and we may not install it.
    """
    if importlib.util.find_spec("ensurepip") is None:
        debian.need(["python3-venv"], "Python's venv module", steps)
    steps.say(f"making {places.venv.name} with Python {sys.version.split()[0]}")
    steps.run([sys.executable, "-m", "venv", "--clear", places.venv], cwd=places.checkout)


def pip_install(places: Places, steps: Steps, *arguments: object) -> None:
    """Install into the environment (or wherever the arguments say)."""
    command = [places.python, "-m", "pip", "install", "--progress-bar", "off", *arguments]
    steps.run(command, cwd=places.checkout, advice="Is the network up? Then run the same command again.")
