"""How long an answer may keep us waiting."""

import asyncio


class Patience:
    """A deadline that moves on with every word."""

    def __init__(self, seconds: float) -> None:
        self.renew(seconds)

    def renew(self, seconds: float) -> None:
        """From now on, wait so long for the next thing that counts."""
        self.seconds = seconds
        self._deadline = asyncio.get_running_loop().time() + seconds

    def limit(self) -> asyncio.Timeout:
        """Raises TimeoutError in its block at the deadline."""
        return asyncio.timeout_at(self._deadline)
