"""What was installed: Python, folders, settings, pages."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence

from kitsu.config import CHECKOUT, SafetySettings, home, load, load_all, read_secret
from kitsu.errors import ConfigError
from kitsu_cli.doctor.finding import Finding, ok_if

MIN_FREE_MB = 500
COMMAND_S = 2.5


def python() -> Sequence[Finding]:
    """The interpreter."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    return [Finding("python", ok_if(sys.version_info >= (3, 11)), found, "Kitsu needs Python 3.11 or newer")]


def writable() -> Sequence[Finding]:
    """KITSU_HOME."""
    try:
        home().make()
    except ConfigError as error:
        return [Finding("home", "broken", error.message, "set KITSU_HOME to a folder that you own")]
    return [Finding("home", "ok", str(home().root))]


def disk() -> Sequence[Finding]:
    """Room for logs, turns' audio and the database."""
    try:
        free_mb = shutil.disk_usage(home().root).free // (1 << 20)
    except OSError as error:
        return [Finding("disk", "broken", f"{home().root}: {error.strerror}", "set KITSU_HOME to a folder that exists")]
    return [
        Finding("disk", ok_if(free_mb >= MIN_FREE_MB), f"{free_mb} MB free", f"make room: at least {MIN_FREE_MB} MB")
    ]


def settings() -> Sequence[Finding]:
    """All sections."""
    try:
        load_all()
    except ConfigError as error:
        return [Finding("settings", "broken", error.message, "correct it there")]
    return [Finding("settings", "ok", str(home().settings_file))]


def token() -> Sequence[Finding]:
    """The secret that the local doors want."""
    path = home().token_file
    if not path.exists():
        return [Finding("token", "off", "not made yet", "kitsu start makes it")]
    try:
        read_secret(path)
    except ConfigError as error:
        return [Finding("token", "broken", error.message)]
    return [Finding("token", "ok", str(path))]


def pages() -> Sequence[Finding]:
    """The built site."""
    index = CHECKOUT / "web" / "build" / "index.html"
    if index.is_file():
        return [Finding("pages", "ok", str(index.parent))]
    return [Finding("pages", "broken", "not built", "scripts/run_all.sh start builds them (.ps1 on Windows)")]


def vote() -> Sequence[Finding]:
    """The gate's statistical vote, where it is asked for."""
    if not load("safety", SafetySettings).vote:
        return []
    if importlib.util.find_spec("profanity_check") is None:
        found = "safety.vote is on, but its package is not installed; the rules judge without it"
        return [Finding("vote", "broken", found, "pip install kitsu[vote], or set safety.vote: false")]
    return [Finding("vote", "ok", "installed")]


def node() -> Sequence[Finding]:
    """Only building the pages needs it."""
    found = shutil.which("node")
    if found is None:
        return [Finding("node", "ok", "none (the pages are built with the one from PyPI)")]
    try:
        done = subprocess.run([found, "--version"], capture_output=True, timeout=COMMAND_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return [Finding("node", "off", f"{found} does not run", "install it anew if you build the pages")]
    return [Finding("node", "ok", done.stdout.decode("utf-8", "replace").strip()[:40])]
