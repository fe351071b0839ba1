"""People whose lines she does not read: set by command, kept over restarts."""

from pathlib import Path

import msgspec

from kitsu.telemetry import log

MOST = 10_000


class Ignored:
    """Login names, in lower case, in one small file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._logins: set[str] = set(_read(path))

    def __contains__(self, login: str) -> bool:
        return login in self._logins

    def __len__(self) -> int:
        return len(self._logins)

    def add(self, login: str) -> bool:
        """Ignore somebody from now on. False: was ignored already, or there is no room for more."""
        if login in self._logins or len(self._logins) >= MOST:
            return False
        self._logins.add(login)
        return True

    def remove(self, login: str) -> bool:
        """Read somebody again. False: was not ignored."""
        known = login in self._logins
        self._logins.discard(login)
        return known

    def save(self) -> None:
        """Write the file.

        Raises:
            OSError: it cannot be written.
        """
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(sorted(self._logins)))
        temporary.replace(self._path)


def _read(path: Path) -> list[str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[str])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        log.error("ignored.unreadable", error=type(error).__name__)
        return []
