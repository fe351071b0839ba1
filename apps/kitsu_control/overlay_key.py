"""The overlay's key: it lets a page watch and listen, nothing else.

It lies in a file of its own. Deleting or changing the file takes the key back: open overlays close within a second.
"""

import hmac
import secrets
from pathlib import Path

from kitsu.config import make_secret, read_secret
from kitsu.errors import ConfigError


class OverlayKey:
    """`secrets/overlay_key`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def current(self) -> str:
        """The key that works now; empty when the file is gone or unfit."""
        try:
            return read_secret(self._path)
        except ConfigError:
            return ""

    def fits(self, key: str) -> bool:
        """Whether `key` is the one that works now."""
        current = self.current()
        return bool(current) and hmac.compare_digest(current.encode(), key.encode("utf-8", "surrogatepass"))

    def make(self) -> str:
        """The key, made first when there is none.

        Raises:
            ConfigError: `home_not_writable`, `bad_token_file`.
        """
        return make_secret(self._path)

    def rotate(self) -> str:
        """A new key; the old one stops working.

        Raises:
            ConfigError: `home_not_writable`.
        """
        retired = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            self._path.replace(retired)
            retired.unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ConfigError("home_not_writable", f"{self._path} cannot be replaced ({error.strerror}).") from None
        return make_secret(self._path)
