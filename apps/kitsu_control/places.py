"""How many browsers may be connected at once."""

from collections.abc import Iterator
from contextlib import contextmanager

from kitsu.errors import ProtocolError


class Places:
    """A counted, bounded number of open websockets."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.used = 0

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one place.

        Raises:
            ProtocolError: `too_many_browsers`.
        """
        if self.used >= self._limit:
            raise ProtocolError("too_many_browsers", f"{self._limit} pages are open already (control.max_browsers)")
        self.used += 1
        try:
            yield
        finally:
            self.used -= 1
