"""Reading a backup that may be damaged, or made to do damage: all is checked before anything is touched."""

import hashlib
import json
import shutil
import sqlite3
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kitsu_cli.archive import members
from kitsu_cli.archive.members import bad_archive, unwritable
from kitsu_cli.exits import Exit, VerbError

MAX_RATIO = 500  # a packed file that grows more than this was made to fill a disk
SPARE_BYTES = 50_000_000
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Contents:
    """An archive that was found good, as far as its directory and manifest tell."""

    path: Path
    archive: zipfile.ZipFile
    files: dict[str, dict[str, Any]]  # name -> bytes, sha256
    with_secrets: bool


@contextmanager
def opened(path: Path) -> Iterator[Contents]:
    """The archive, checked.

    Raises:
        VerbError: FILE (`bad_archive`, `newer_archive`, `no_such_file`).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            infos = _infos(path, archive)
            manifest = _manifest(path, archive)
            yield Contents(path, archive, _listed(path, manifest, infos), manifest.get("with_secrets") is True)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OverflowError) as error:
        raise bad_archive(path, f"it is damaged or no zip file ({error})") from None
    except FileNotFoundError:
        raise VerbError(Exit.FILE, "no_such_file", f"There is no file {path}.") from None
    except OSError as error:
        raise VerbError(Exit.FILE, "file_not_read", f"{path} cannot be read: {error.strerror or error}.") from None


def _infos(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if len(names) > members.MAX_MEMBERS or len(set(names)) < len(names):
        raise bad_archive(path, "it holds too many files, or one of them twice")
    for info in infos:
        limit = members.max_bytes(info.filename)
        if limit is None or not _plain_file(info):
            raise bad_archive(path, f"it holds {info.filename[:60]!r}, which does not belong into a backup")
        if info.file_size > limit or info.file_size > MAX_RATIO * max(info.compress_size, 1024):
            raise bad_archive(path, f"{info.filename} is too large")
    if sum(info.file_size for info in infos) > members.MAX_TOTAL_BYTES:
        raise bad_archive(path, "it is too large")
    return {info.filename: info for info in infos}


def _plain_file(info: zipfile.ZipInfo) -> bool:
    """No link, not encrypted, packed in one of the two usual ways."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    usual = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    return kind in (0, stat.S_IFREG) and usual and not info.flag_bits & 1


def _manifest(path: Path, archive: zipfile.ZipFile) -> dict[str, Any]:
    try:
        with archive.open(members.MANIFEST) as file:
            manifest = json.loads(file.read(members.MAX_TEXT_BYTES))
        form, files = manifest["kitsu_backup"], manifest["files"]
    except (KeyError, ValueError, TypeError, RecursionError):
        raise bad_archive(path, "it was not made by `kitsu backup`") from None
    if type(form) is not int or not isinstance(files, dict):
        raise bad_archive(path, "it was not made by `kitsu backup`")
    if form != members.FORMAT:
        message = f"{path} was made by a newer Kitsu. Update Kitsu, then restore it. Nothing was changed."
        raise VerbError(Exit.FILE, "newer_archive", message)
    return dict(manifest)


def _listed(path: Path, manifest: dict[str, Any], infos: dict[str, zipfile.ZipInfo]) -> dict[str, dict[str, Any]]:
    files: dict[str, dict[str, Any]] = manifest["files"]
    if set(files) | {members.MANIFEST} != set(infos) or members.MANIFEST in files:
        raise bad_archive(path, "its list of files is not what it holds")
    for name, about in files.items():
        if not isinstance(about, dict) or about.get("bytes") != infos[name].file_size:
            raise bad_archive(path, f"{name} has not the size that is listed")
    return files


def unpack(contents: Contents, folder: Path) -> dict[str, Path]:
    """All files, in `folder`, checked again byte by byte.

    Raises:
        VerbError: FILE.
    """
    needed = sum(about["bytes"] for about in contents.files.values()) + SPARE_BYTES
    if shutil.disk_usage(folder).free < needed:
        message = f"There is not enough room in {folder.parent}: {needed // 1_000_000} MB are needed."
        raise VerbError(Exit.FILE, "no_space", message)
    found = {name: _unpack_one(contents, name, folder / name.replace("/", "_")) for name in contents.files}
    if members.DATABASE in found:
        _check_database(contents.path, found[members.DATABASE])
    return found


def _unpack_one(contents: Contents, name: str, place: Path) -> Path:
    about, digest, size = contents.files[name], hashlib.sha256(), 0
    try:
        with contents.archive.open(name) as packed, place.open("wb") as file:
            while chunk := packed.read(CHUNK_BYTES):
                size += len(chunk)
                if size > about["bytes"]:
                    break
                digest.update(chunk)
                file.write(chunk)
    except OSError as error:
        raise unwritable(place, error) from None
    if size != about["bytes"] or digest.hexdigest() != about.get("sha256"):
        raise bad_archive(contents.path, f"{name} is damaged")
    return place


def _check_database(path: Path, database: Path) -> None:
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise bad_archive(path, f"its database is damaged ({error})") from None
    if answer != ("ok",):
        raise bad_archive(path, "its database is damaged")
