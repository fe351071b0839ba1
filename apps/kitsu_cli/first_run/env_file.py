"""Writing into `.env` without touching a line that is not ours."""

import io
import os
import secrets
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from dotenv.parser import parse_stream

from kitsu.config import Home, load_all, read
from kitsu_cli.exits import Exit, VerbError

NOTE = "# quickstart: "
BOM = "\ufeff"


def changed(text: str, values: Mapping[str, str], notes: Iterable[str] | None, day: str, by: str = "quickstart") -> str:
    """The file's text with `values` in it. A name that is there gets its new value where it stands; the rest comes
    to the end, after a comment, with `notes` as comments (those of an earlier time go; None: they stay)."""
    newline = "\r\n" if "\r\n" in text else "\n"
    bindings = [
        (binding.key or "", binding.original.string)
        for binding in parse_stream(io.StringIO(text.removeprefix(BOM), newline=""))
        if notes is None or not binding.original.string.strip().startswith(NOTE)
    ]
    last = {key.upper(): place for place, (key, _) in enumerate(bindings) if key.upper() in values}
    lines = [original for _, original in bindings]
    for name, place in last.items():
        lines[place] = f"{_before(lines[place])}{name}={values[name]}{newline}"
    out = "".join(lines)
    new = [f"{name}={value}" for name, value in values.items() if name not in last]
    block = [*(f"{NOTE}{note}" for note in notes or ()), *([f"# written by kitsu {by} on {day}", *new] if new else [])]
    if block:
        out += ("" if not out or out.endswith("\n") else newline) + newline.join([*block, ""])
    return (BOM if text.startswith(BOM) else "") + out


def _before(original: str) -> str:
    """Empty lines that belong to a binding's text."""
    return original[: len(original) - len(original.lstrip("\r\n"))]


def save(where: Home, values: Mapping[str, str], notes: Iterable[str] | None, by: str = "quickstart") -> Path | None:
    """Write the values into `.env`; returns the copy of the old file that was put beside it, if there was one.

    Raises:
        ConfigError: together with the rest, the new values would stop a start. Nothing is written then.
        VerbError: FILE.
    """
    path = where.env_file
    try:
        old = path.read_bytes() if path.is_file() else b""
        new = changed(old.decode("utf-8"), values, notes, time.strftime("%Y-%m-%d"), by).encode()
        _check(where, new)
        backup = _copy_beside(path, old) if old else None
        _replace(path, new)
    except UnicodeDecodeError:
        raise VerbError(Exit.SETTINGS, "bad_env", f"{path} is not UTF-8 text. Save it as UTF-8.") from None
    except OSError as error:
        raise VerbError(Exit.FILE, "file_not_written", f"{path} cannot be written: {error.strerror}.") from None
    read.cache_clear()
    return backup


def _check(where: Home, text: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        trial = replace(where, root=Path(folder), configs=where.settings_file.parent)
        trial.env_file.write_bytes(text)
        load_all(read(trial))


def _copy_beside(path: Path, data: bytes) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    copy = path.with_name(f"{path.name}.{stamp}.bak")
    if copy.exists():  # twice within a second
        copy = path.with_name(f"{path.name}.{stamp}-{secrets.token_hex(2)}.bak")
    _write_private(copy, data)
    return copy


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_private(temporary, data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _write_private(path: Path, data: bytes) -> None:
    """`.env` may hold keys: readable by the owner only."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
