"""Writing an archive: it gets its name when it is complete, is readable by its owner only, and replaces nothing."""

import os
import secrets
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kitsu_cli.archive.members import unwritable
from kitsu_cli.exits import Exit, VerbError


@contextmanager
def new_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """An archive to write into.

    Raises:
        VerbError: FILE: it exists already, or cannot be written.
    """
    if path.exists():
        raise VerbError(Exit.FILE, "file_exists", f"{path} exists already. Name another file.")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(descriptor, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            yield archive
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from None
    finally:
        temporary.unlink(missing_ok=True)
