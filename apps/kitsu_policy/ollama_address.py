"""Where an Ollama is, and whether anything listens there. Costs no HTTP library."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Self
from urllib.parse import urlsplit

from kitsu.errors import ConfigError

KNOCK_S = 0.25  # on this machine a port answers at once, but Windows takes two seconds to say that one is closed


@dataclass(frozen=True, slots=True)
class OllamaAddress:
    """`policy.ollama_url`, taken apart."""

    url: str
    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises:
        ConfigError: `bad_setting`.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host = None
        if not host or parts.scheme not in ("http", "https"):
            raise ConfigError("bad_setting", f"policy.ollama_url = {url!r}: wants http://HOST:PORT")
        return cls(url.rstrip("/"), host, port or (443 if parts.scheme == "https" else 80))

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def listens(self, patience_s: float = KNOCK_S) -> bool:
        """Whether anything takes a connection there. For addresses on this machine."""
        try:
            async with asyncio.timeout(patience_s):
                _, writer = await asyncio.open_connection(self.host, self.port, happy_eyeballs_delay=0.05)
        except OSError:  # TimeoutError is one
            return False
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        return True
