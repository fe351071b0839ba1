"""The permission that VTube Studio gave, in `secrets/vts_token`, readable by the owner only."""

import os
from pathlib import Path

from kitsu.errors import ConfigError

MAX_CHARS = 64  # VTube Studio's documented limit


def read_token(path: Path) -> str:
    """The token; empty when there is none, or what is there cannot be one."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CHARS + 2)
        token = data.decode("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
    return token if token.isprintable() and " " not in token and len(token) <= MAX_CHARS else ""


def write_token(path: Path, token: str) -> None:
    """Keep the token.

    Raises:
        ConfigError: `home_not_writable`.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(token + "\n")
        temporary.replace(path)
    except (OSError, UnicodeEncodeError) as error:
        temporary.unlink(missing_ok=True)
        raise ConfigError("home_not_writable", f"{path} cannot be written ({error}).") from None


def forget_token(path: Path) -> None:
    """The permission is void."""
    path.unlink(missing_ok=True)
