"""Secrets that Kitsu makes for itself, each in a file of its own that only the owner can read."""

import os
import secrets
import sys
from pathlib import Path

from kitsu.errors import ConfigError


def make_secret(path: Path) -> str:
    """The secret in `path`; made first if the file does not exist.

    Raises:
        ConfigError: `bad_token_file` when it is empty, unreadable or malformed, `home_not_writable`.
    """
    if path.exists():
        return read_secret(path)
    token = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(token + "\n")
        temporary.replace(path)
    except OSError as error:
        raise ConfigError("home_not_writable", f"{path} cannot be written ({error.strerror}).") from None
    return token


def read_secret(path: Path) -> str:
    """The secret in `path`.

    Raises:
        ConfigError: `bad_token_file`.
    """
    try:
        token = path.read_text(encoding="ascii").strip()
        loose = sys.platform != "win32" and path.stat().st_mode & 0o077
    except FileNotFoundError:
        raise ConfigError("bad_token_file", f"{path} is missing. `kitsu start` makes it.") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigError(
            "bad_token_file", f"{path} cannot be read. Delete it; `kitsu start` makes a new one."
        ) from None
    if len(token) < 32 or not token.isprintable() or " " in token:
        raise ConfigError("bad_token_file", f"{path} holds no token. Delete it; `kitsu start` makes a new one.")
    if loose:
        raise ConfigError("bad_token_file", f"{path} can be read by others. Run: chmod 600 {path}")
    return token
