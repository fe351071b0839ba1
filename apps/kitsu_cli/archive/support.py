"""What helps others to help: versions, findings, settings, last lines of logs. No secrets, no viewers' words."""

import json
import platform
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import msgspec

from kitsu.config import load_all
from kitsu.errors import KitsuError
from kitsu.home import Home
from kitsu.services import SERVICES
from kitsu_cli.archive.redaction import Redactor, known_secrets
from kitsu_cli.archive.zipfile_out import new_archive
from kitsu_cli.doctor import findings
from kitsu_cli.logview import last
from kitsu_cli.running import doors

LINES = 200  # of each service


def write_bundle(where: Home, path: Path) -> dict[str, str]:
    """Write the archive; returns each file with what it is.

    Raises:
        VerbError: FILE.
    """
    redactor = Redactor(known_secrets(where))
    parts: dict[str, tuple[str, Callable[[], Any]]] = {
        "versions.json": ("Kitsu, Python, system and packages", _versions),
        "doctor.json": ("what kitsu doctor finds", lambda: [asdict(row) for row in findings()]),
        "settings.json": ("settings, secrets hidden", _settings),
        "launcher.json": ("what runs", _launcher),
        "logs.json": (f"the last {LINES} lines of each service, viewers' words hidden", lambda: _logs(where)),
    }
    with new_archive(path) as archive:
        for name, (_, get) in parts.items():
            archive.writestr(name, json.dumps(redactor.clean(get()), ensure_ascii=False, indent=1))
    return {name: about for name, (about, _) in parts.items()}


def _versions() -> dict[str, Any]:
    return {
        "kitsu": version("kitsu"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": {one.metadata["Name"]: one.version for one in distributions()},
    }


def _settings() -> Any:
    try:
        return msgspec.to_builtins(load_all())
    except KitsuError as error:
        return {"error": error.message}


def _launcher() -> Any:
    try:
        return doors().launcher.get("/status")
    except KitsuError as error:
        return {"error": error.message}


def _logs(where: Home) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("launcher", *SERVICES):
        try:
            found[name] = last(where.logs, name, LINES)
        except OSError as error:
            found[name] = [f"not readable: {error.strerror}"]
    return found
