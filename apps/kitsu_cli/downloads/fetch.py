"""One file: resumed where it stopped, checked, and given its name only when it is whole and right."""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kitsu_cli.downloads.progress import Progress
from kitsu_cli.downloads.source import Opened, Source
from kitsu_cli.downloads.trouble import CutError, cut_off, no_space, refused
from kitsu_cli.exits import Exit, VerbError

SPARE_BYTES = 50_000_000  # what must stay free on the disk
PAUSES_S = (0.5, 2.0, 5.0)  # before each further try
SMALL_WITHIN_S = 60.0
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file at the source and what it shall become here."""

    path: str
    target: Path
    size_bytes: int
    md5: str  # empty: its publisher gives none

    @property
    def part(self) -> Path:
        return self.target.with_name(f"{self.target.name}.part")


def fetch(source: Source, wanted: Wanted, progress: Progress, pause: Callable[[float], None] = time.sleep) -> bool:
    """Get it; False when it was already there.

    Raises:
        VerbError: `connection_cut` (what came is kept), `no_space`, `bad_checksum`, `bad_size`, `not_found` and the
            like (nothing is kept).
    """
    try:
        if is_right(wanted, wanted.target):
            progress.show(wanted.target.name, wanted.size_bytes, wanted.size_bytes)
            return False
        check_room(wanted.target.parent, wanted.size_bytes - _have(wanted))
        _insist(source, wanted, progress, pause)
        if not is_right(wanted, wanted.part):
            wanted.part.unlink()
            message = f"{wanted.path} did not arrive as its publisher made it (wrong checksum); it was thrown away."
            raise refused("bad_checksum", f"{message} Try again; if it happens again, the source is broken.")
        wanted.part.replace(wanted.target)
    except OSError as error:
        raise _unwritable(wanted, error) from None
    return True


def check_room(folder: Path, needed_bytes: int) -> None:
    """Raises:
    VerbError: `no_space`.
    """
    if shutil.disk_usage(folder).free < needed_bytes + SPARE_BYTES:
        raise no_space(folder, needed_bytes + SPARE_BYTES)


def is_right(wanted: Wanted, path: Path) -> bool:
    """Whether the file at `path` has the size and, where one is known, the checksum."""
    if not path.is_file() or path.stat().st_size != wanted.size_bytes:
        return False
    if not wanted.md5:
        return True
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == wanted.md5


def read_small(source: Source, path: str, limit: int, pauses_s: Sequence[float] | None = None) -> bytes:
    """A small file, into memory. One try more than there are pauses.

    Raises:
        VerbError: `too_large`, `connection_cut`, `not_found` and the like.
    """
    why = ""
    for wait_s in (*(PAUSES_S if pauses_s is None else pauses_s), None):
        try:
            with source.open(path) as opened:
                return _bounded(opened, path, limit)
        except CutError as error:
            why = str(error)
            if wait_s is not None:
                time.sleep(wait_s)
    raise cut_off(source.name, why)


def size_of(source: Source, path: str) -> int:
    """How large a file is, as its source says (bytes).

    Raises:
        VerbError: `bad_answer` when it does not say; `connection_cut`, `not_found` and the like.
    """
    try:
        with source.open(path) as opened:
            size = opened.size_bytes
    except CutError as error:
        raise cut_off(source.name, str(error)) from None
    if size <= 0:
        raise refused("bad_answer", f"{source.name} does not say how large {path} is.")
    return size


def _bounded(opened: Opened, path: str, limit: int) -> bytes:
    deadline = time.monotonic() + SMALL_WITHIN_S
    data = bytearray()
    for chunk in opened.chunks:
        data += chunk
        if len(data) > limit:
            raise refused("too_large", f"{path} is larger than {limit // 1_000_000} MB; refused.")
        if time.monotonic() > deadline:
            raise CutError("too slow")
    return bytes(data)


def _have(wanted: Wanted) -> int:
    """Bytes that an earlier try left."""
    size = wanted.part.stat().st_size if wanted.part.is_file() else 0
    if size > wanted.size_bytes:
        wanted.part.unlink()
        return 0
    return size


def _insist(source: Source, wanted: Wanted, progress: Progress, pause: Callable[[float], None]) -> None:
    why = ""
    for wait_s in (*PAUSES_S, None):
        have = _have(wanted)
        if have == wanted.size_bytes:
            return
        try:
            with source.open(wanted.path, have) as opened, wanted.part.open("r+b" if have else "wb") as file:
                _receive(opened, file, wanted, progress)
        except CutError as error:
            why = str(error)
            if wait_s is not None:
                pause(wait_s)
    if _have(wanted) < wanted.size_bytes:
        raise cut_off(source.name, why)


def _receive(opened: Opened, file: IO[bytes], wanted: Wanted, progress: Progress) -> None:
    file.seek(opened.start)
    file.truncate()
    done = opened.start
    for chunk in opened.chunks:
        done += len(chunk)
        if done > wanted.size_bytes:
            file.truncate(0)
            raise refused("bad_size", f"{wanted.path} is larger than its publisher says; it was thrown away.")
        file.write(chunk)
        progress.show(wanted.target.name, done, wanted.size_bytes)
    file.flush()
    os.fsync(file.fileno())
    if done < wanted.size_bytes:
        raise CutError("it ended early")


def _unwritable(wanted: Wanted, error: OSError) -> VerbError:
    if error.errno in _FULL:
        wanted.part.unlink(missing_ok=True)
        return no_space(wanted.target.parent, wanted.size_bytes + SPARE_BYTES)
    message = f"{wanted.target} cannot be written: {error.strerror or error}."
    return VerbError(Exit.FILE, "file_not_written", message)
