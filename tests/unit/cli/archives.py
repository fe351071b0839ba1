"""An installation that was lived in, and its archives."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

KEY = "sk-very-secret-key-0123456789"
ENV = f"""# my settings
KITSU__LOGS__LEVEL=debug
KITSU__POLICY__API_KEY={KEY}
# KITSU__TTS__API_KEY=another-secret
OTHER_PROGRAM=private
KITSU__DOWNLOADS__MIRROR=https://fox:hush@mirror.example/x
"""


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".zip"
    }


def repack(path: Path, changes: dict[str, bytes | None], manifest: dict[str, Any] | None = None) -> None:
    """Write the archive anew with other files, and a manifest that fits them (with `manifest` laid over it)."""
    files = {name: data for name, data in (content(path) | changes).items() if data is not None}
    about = json.loads(files.pop("manifest.json"))
    about["files"] = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(about | (manifest or {})))
