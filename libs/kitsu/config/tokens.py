"""Secrets that Kitsu makes for itself, each in a file of its own that only the owner can read."""

import os
import secrets
import sys
from pathlib import Path

from kitsu.errors import ConfigError

MIN_CHARS = 32
MAX_CHARS = 512


def make_secret(path: Path) -> str:
    """The secret in `path`; made first if the file does not exist. Whoever comes second gets the first one's.

    Raises:
        ConfigError: `bad_token_file` when it is empty, unreadable or malformed, `home_not_writable`.
    """
    if path.exists():
        return read_secret(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(32) + "\n")
            _publish(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError("home_not_writable", f"{path} cannot be written ({error.strerror}).") from None
    return read_secret(path)


def _publish(temporary: Path, path: Path) -> None:
    """Give the file its name, unless somebody else was faster."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        temporary.replace(path)


def read_secret(path: Path) -> str:
    """The secret in `path`.

    Raises:
        ConfigError: `bad_token_file`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CHARS + 1)
        loose = sys.platform != "win32" and path.stat().st_mode & 0o077
        token = data.decode("ascii").strip()
    except FileNotFoundError:
        raise ConfigError("bad_token_file", f"{path} is missing. `kitsu start` makes it.") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            "bad_token_file", f"{path} cannot be read. Delete it; `kitsu start` makes a new one."
        ) from None
    if not MIN_CHARS <= len(token) <= MAX_CHARS or not token.isprintable() or " " in token:
        raise ConfigError("bad_token_file", f"{path} holds no token. Delete it; `kitsu start` makes a new one.")
    if loose:
        raise ConfigError("bad_token_file", f"{path} can be read by others. Run: chmod 600 {path}")
    return token
