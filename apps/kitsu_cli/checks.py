"""What `kitsu doctor` looks at. Each check answers with one finding and never raises."""

import importlib.util
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from kitsu.config import CHECKOUT, NetworkSettings, home, load, load_all, read_secret
from kitsu.errors import ConfigError
from kitsu_cli.exits import VerbError
from kitsu_cli.running import doors

MIN_FREE_MB = 500
NODE = ((20, 19), (22, 12))


@dataclass(frozen=True, slots=True)
class Finding:
    """One row."""

    check: str
    state: Literal["ok", "degraded", "failed"]
    found: str
    do: str = ""  # what helps


def findings() -> Iterator[Finding]:
    """All checks, in an order in which the first failure explains the later ones."""
    checks: tuple[Callable[[], Finding], ...] = (python, writable, disk, settings, token, pages, node, voice, services)
    for check in checks:
        yield check()
    yield from ports()


def python() -> Finding:
    """The interpreter."""
    found = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(
        "python", "ok" if sys.version_info >= (3, 11) else "failed", found, "Kitsu needs Python 3.11 or newer"
    )


def writable() -> Finding:
    """KITSU_HOME."""
    try:
        home().make()
    except ConfigError as error:
        return Finding("home", "failed", error.message, "set KITSU_HOME to a folder that you own")
    return Finding("home", "ok", str(home().root))


def disk() -> Finding:
    """Room for logs, turns' audio and the database."""
    try:
        free_mb = shutil.disk_usage(home().root).free // (1 << 20)
    except OSError as error:
        return Finding("disk", "failed", f"{home().root}: {error.strerror}")
    return Finding("disk", "ok" if free_mb >= MIN_FREE_MB else "degraded", f"{free_mb} MB free", "make room")


def settings() -> Finding:
    """All sections."""
    try:
        load_all()
    except ConfigError as error:
        return Finding("settings", "failed", error.message, "correct it there")
    return Finding("settings", "ok", str(home().settings_file))


def token() -> Finding:
    """The secret that the local doors want."""
    path = home().token_file
    if not path.exists():
        return Finding("token", "degraded", "not made yet", "kitsu start")
    try:
        read_secret(path)
    except ConfigError as error:
        return Finding("token", "failed", error.message)
    return Finding("token", "ok", str(path))


def pages() -> Finding:
    """The built site."""
    index = CHECKOUT / "web" / "build" / "index.html"
    if index.is_file():
        return Finding("pages", "ok", str(index.parent))
    return Finding("pages", "failed", "not built", "scripts/run_all.sh start builds them")


def node() -> Finding:
    """Only building the pages needs it."""
    found = shutil.which("node")
    if found is None:
        return Finding("node", "ok", "none (the pages are built with the one from PyPI)")
    try:
        text = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return Finding("node", "degraded", f"{found} does not run")
    return Finding("node", "ok", text.strip())


def voice() -> Finding:
    """The bundled voice."""
    if importlib.util.find_spec("espeakng_loader") is not None:
        return Finding("voice", "ok", "espeak")
    return Finding("voice", "degraded", "espeak is not installed", "pip install kitsu[espeak], or another tts.engine")


def services() -> Finding:
    """What the launcher says."""
    try:
        rows = doors().launcher.get("/status")["services"]
    except (VerbError, ConfigError) as error:
        return Finding("services", "degraded", error.message.removesuffix(" Run: kitsu start"), "kitsu start")
    bad = [f"{row['name']} is {row['state']}" for row in rows if not row["ready"]]
    return Finding("services", "failed" if bad else "ok", "; ".join(bad) or f"{len(rows)} healthy", "kitsu logs")


def ports() -> Iterator[Finding]:
    """Whether Kitsu has its ports, or could have them."""
    try:
        network = load("network", NetworkSettings)
    except ConfigError:
        return
    for name in ("orchestrator", "launcher", "control"):
        port: int = getattr(network, f"{name}_port")
        yield _port(name, network.host, port)


def _port(name: str, host: str, port: int) -> Finding:
    check = f"port {port}"
    try:
        door = getattr(doors(), name)
        if door.url.endswith(f":{port}") and door.get("/healthz"):
            return Finding(check, "ok", f"{name} answers")
    except (VerbError, ConfigError):
        pass
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return Finding(check, "failed", f"{error.strerror}", f"stop that program, or set network.{name}_port")
    return Finding(check, "ok", f"free, for {name}")
