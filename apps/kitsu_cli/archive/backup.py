"""Making a backup, also while the show runs."""

import hashlib
import json
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from kitsu.home import Home
from kitsu_cli.archive import members
from kitsu_cli.archive.redaction import Redactor, known_secrets
from kitsu_cli.archive.settings_text import says_only_defaults, without_secrets
from kitsu_cli.archive.zipfile_out import new_archive
from kitsu_cli.exits import Exit, VerbError


def backup(where: Home, path: Path, *, with_secrets: bool) -> list[str]:
    """Write the archive; returns what is in it.

    Raises:
        VerbError: FILE. ConfigError: kitsu.yaml is wrong.
    """
    with tempfile.TemporaryDirectory() as folder, new_archive(path) as archive:
        files = _texts(where, with_secrets=with_secrets)
        database = where.data / "kitsu.db"
        copies = {members.DATABASE: _copy_database(database, Path(folder) / "kitsu.db")} if database.is_file() else {}
        about = {name: _add_bytes(archive, name, data) for name, data in files.items()}
        about |= {name: _add_file(archive, name, copy) for name, copy in copies.items()}
        archive.writestr(members.MANIFEST, json.dumps(_manifest(about, with_secrets=with_secrets), indent=1))
    return sorted(about)


def _texts(where: Home, *, with_secrets: bool) -> dict[str, bytes]:
    redactor = Redactor(known_secrets(where))
    found: dict[str, bytes] = {}
    own = members.target(where, members.SETTINGS)
    if own.is_file() and not says_only_defaults(own):
        found[members.SETTINGS] = own.read_bytes()
    if where.env_file.is_file():
        found[members.ENV] = where.env_file.read_bytes()
    if not with_secrets:
        found = {name: _harmless(name, data, redactor) for name, data in found.items()}
    for path in sorted((where.configs / "characters").glob("*.yaml")):
        found[f"characters/{path.name}"] = path.read_bytes()
    if with_secrets and where.secrets.is_dir():
        found |= {f"secrets/{path.name}": path.read_bytes() for path in where.secrets.iterdir() if path.is_file()}
    return {name: data for name, data in found.items() if len(data) <= (members.max_bytes(name) or -1)}


def _harmless(name: str, data: bytes, redactor: Redactor) -> bytes:
    text = data.decode("utf-8-sig", "replace")
    return (without_secrets(text, redactor) if name == members.ENV else redactor.assigned(text)).encode()


def _copy_database(database: Path, copy: Path) -> Path:
    """SQLite's own online copy: consistent whatever is being written meanwhile."""
    try:
        with (
            closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=5)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
            target.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise VerbError(Exit.FILE, "database_not_read", f"{database} cannot be copied: {error}.") from None
    return copy


def _add_bytes(archive: zipfile.ZipFile, name: str, data: bytes) -> dict[str, object]:
    archive.writestr(name, data)
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _add_file(archive: zipfile.ZipFile, name: str, path: Path) -> dict[str, object]:
    archive.write(path, name)
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _manifest(files: dict[str, dict[str, object]], *, with_secrets: bool) -> dict[str, object]:
    return {
        "kitsu_backup": members.FORMAT,
        "version": version("kitsu"),
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "with_secrets": with_secrets,
        "files": files,
    }
