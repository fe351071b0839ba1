"""Somebody speaks into it: the clock stands still for a while."""

from dataclasses import dataclass

MAX_LIMIT_S = 60.0


@dataclass(eq=False)
class Pause:
    """Of one conversation. Times are s of the player's clock."""

    until: float = 0.0  # when it ends by itself
    on: bool = False
    resumed: bool = False  # the clock ran dry because of it: that is no stall
    told: bool = False  # the last position before it was reported

    def begin(self, limit_s: float, now: float) -> None:
        """Stand still from now on; asked for again, it holds longer."""
        self.until = now + min(max(0.0, limit_s), MAX_LIMIT_S)
        if not self.on:
            self.on, self.told = True, False

    def end(self) -> None:
        """Go on."""
        self.resumed = self.resumed or self.on
        self.on = False

    def is_over(self, now: float) -> bool:
        """It held for its whole time."""
        return self.on and now >= self.until
