"""When to leave a voice alone."""

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 120.0


class Breaker:
    """A circuit breaker: open after a failure, for a pause that doubles with each failure in a row.

    After the pause the voice may try again (half open): one success closes it. Times are seconds of the caller's clock.
    """

    def __init__(self) -> None:
        self.failures = 0  # in a row
        self._open_until = 0.0

    def allows(self, now: float) -> bool:
        """Whether the voice may speak."""
        return now >= self._open_until

    def failed(self, now: float) -> None:
        """It failed."""
        self._open_until = now + min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(self.failures, 10))
        self.failures += 1

    def worked(self) -> None:
        """It spoke to the end."""
        self.failures = 0
        self._open_until = 0.0
