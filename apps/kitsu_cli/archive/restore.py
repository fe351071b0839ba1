"""Putting a backup back. What it replaces is kept in a dated folder; when something fails, all is as it was."""

import hashlib
import itertools
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kitsu.filelock import FileLock
from kitsu.home import Home
from kitsu_cli.archive import members
from kitsu_cli.archive.checking import opened, unpack
from kitsu_cli.archive.members import unwritable
from kitsu_cli.archive.settings_text import with_secrets_of
from kitsu_cli.exits import Exit, VerbError

_BESIDE = ("-wal", "-shm")  # SQLite's log belongs to the old database


def restore(where: Home, path: Path) -> tuple[list[str], Path | None]:
    """Put everything back; returns what was, and the folder with what was replaced.

    Raises:
        VerbError: FILE (nothing was changed), REFUSED (the show runs).
    """
    with opened(path) as contents, _show_stands_still(where), _workshop(where) as workshop:
        found = unpack(contents, workshop)
        if members.ENV in found and not contents.with_secrets and where.env_file.is_file():
            _keep_secrets(found[members.ENV], where.env_file)
        wanted = {name: place for name, place in found.items() if not _same(place, members.target(where, name))}
        kept = _dated(where.data / "replaced")
        _swap(where, wanted, kept)
    return sorted(wanted), kept if kept.exists() else None


@contextmanager
def _show_stands_still(where: Home) -> Iterator[None]:
    where.make()
    lock = FileLock(where.lock_file)
    try:
        taken = lock.acquire()
    except OSError as error:
        raise unwritable(where.lock_file, error) from None
    if not taken:
        raise VerbError(Exit.REFUSED, "show_runs", "Kitsu runs. Stop it first (kitsu stop); nothing was changed.")
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _workshop(where: Home) -> Iterator[Path]:
    """A folder on the same disk: files then move into place in one step."""
    folder = where.data / f".restore-{secrets.token_hex(4)}"
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise unwritable(folder, error) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep_secrets(new: Path, now: Path) -> None:
    """A backup without secrets must not cost those that are here."""
    text = with_secrets_of(new.read_text(encoding="utf-8"), now.read_text(encoding="utf-8", errors="replace"))
    new.write_text(text, encoding="utf-8", newline="")


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and _digest(one) == _digest(other)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _dated(folder: Path) -> Path:
    """A folder named after now that does not exist yet."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    names = itertools.chain([stamp], (f"{stamp}-{number}" for number in itertools.count(2)))
    return next(folder / name for name in names if not (folder / name).exists())


def _swap(where: Home, wanted: dict[str, Path], kept: Path) -> None:
    moved: list[tuple[Path, Path]] = []  # from, to
    try:
        for name, place in wanted.items():
            target = members.target(where, name)
            for old in (target, *(target.with_name(target.name + end) for end in _BESIDE if name == members.DATABASE)):
                if old.exists():
                    moved.append(_move(old, kept / Path(name).parent / old.name))
            if sys.platform != "win32" and name.startswith(("secrets/", members.ENV)):
                place.chmod(0o600)
            moved.append(_move(place, target))
    except OSError as error:
        for source, target in reversed(moved):
            shutil.move(target, source)
        raise unwritable(where.root, error) from None


def _move(source: Path, target: Path) -> tuple[Path, Path]:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(source, target)
    return source, target
