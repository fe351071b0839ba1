"""The login at Twitch: one file under secrets/, which only its owner can read."""

import os
import secrets
import sys
from pathlib import Path

import msgspec

from kitsu.errors import EngineError

NEEDED = ("user:read:chat", "user:write:chat")
USEFUL = ("moderator:read:followers", "channel:read:redemptions")
"""Follows, and channel-point rewards: they work in one's own channel (follows also where one moderates)."""

LOGIN = "kitsu login twitch"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """What Twitch gave us. Both tokens are secrets."""

    client_id: str
    access: str
    refresh: str
    user_id: str
    login: str
    scopes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Login of {self.login}>"

    @property
    def missing(self) -> list[str]:
        """Scopes without which chat does not work."""
        return [scope for scope in NEEDED if scope not in self.scopes]


class LoginFile:
    """Reads and writes it. A refresh token of Twitch's works once, so each new pair is on disk before it is used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stamp(self) -> tuple[int, int]:
        """Changes when the file does; zeros while there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return 0, 0
        return found.st_mtime_ns, found.st_size

    def read(self) -> Login | None:
        """The login, if there is one.

        Raises:
            EngineError: `login_unreadable`.
        """
        try:
            loose = sys.platform != "win32" and self._path.stat().st_mode & 0o077
            login = msgspec.json.decode(self._path.read_bytes(), type=Login)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            raise EngineError(
                "login_unreadable", f"The login in {self._path.name} cannot be read. Run: {LOGIN}"
            ) from None
        if loose:
            self._path.chmod(0o600)
        return login

    def write(self, login: Login) -> None:
        """Keep a login.

        Raises:
            EngineError: `login_not_saved`.
        """
        temporary = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(login))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._path)
        except OSError as error:
            raise EngineError(
                "login_not_saved", f"The login at Twitch could not be saved ({error.strerror}): check the disk."
            ) from None
        finally:
            temporary.unlink(missing_ok=True)
