"""How much may be sent. Twitch mutes who sends more (for half an hour), so all of it is counted here.

Numbers: dev.twitch.tv/docs/chat, "Rate limits": 20 messages in 30 s, 100 for the broadcaster and moderators.
dev.twitch.tv/docs/api/guide, "Rate limits": points, told by the `Ratelimit-*` headers; 429 when they are used up.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Mapping

WINDOW_S = 30.5  # half a second over Twitch's own, since its clock is not ours
LIMIT, LIMIT_AS_MODERATOR = 20, 100
SHORT = 6  # so few messages left in the window: spare them
POINTS_KEPT = 5  # for subscriptions, which matter more than one reply
FIRST_DELAY_S, LONGEST_DELAY_S = 1.0, 64.0

Clock = Callable[[], float]


class ChatWindow:
    """Messages of the last 30 s."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._sent: deque[float] = deque()
        self.limit = LIMIT

    def moderator(self, is_one: bool) -> None:
        """Whether we are the broadcaster or a moderator there."""
        self.limit = LIMIT_AS_MODERATOR if is_one else LIMIT

    @property
    def left(self) -> int:
        """Messages that may be sent now."""
        self._forget()
        return max(0, self.limit - len(self._sent))

    @property
    def short(self) -> bool:
        """Few are left."""
        return self.left <= SHORT

    def note(self) -> None:
        """One is being sent."""
        self._sent.append(self._clock())

    def wait_s(self) -> float:
        """Until the next one may be sent."""
        if self.left:
            return 0.0
        return max(0.0, self._sent[len(self._sent) - self.limit] + WINDOW_S - self._clock())

    def _forget(self) -> None:
        before = self._clock() - WINDOW_S
        while self._sent and self._sent[0] <= before:
            self._sent.popleft()


class Points:
    """Helix's points, as its last answer told them."""

    def __init__(self, clock: Clock = time.time) -> None:
        self._clock = clock  # unix s: that is what Twitch tells the time in
        self._left: int | None = None
        self._reset_at = 0.0

    def told(self, headers: Mapping[str, str]) -> None:
        """An answer's headers; odd ones are ignored."""
        left, reset = headers.get("Ratelimit-Remaining", ""), headers.get("Ratelimit-Reset", "")
        if left.isdecimal() and reset.isdecimal() and len(left) < 8 and len(reset) < 13:
            self._left, self._reset_at = int(left), float(reset)

    def wait_s(self) -> float:
        """Until a reply may be sent, at most a minute."""
        if self._left is None or self._left > POINTS_KEPT:
            return 0.0
        return min(max(0.0, self._reset_at - self._clock()), 60.0)


class BackOff:
    """Pauses after 429 and after failures: doubled each time, with jitter."""

    def __init__(self, first_s: float = FIRST_DELAY_S, longest_s: float = LONGEST_DELAY_S) -> None:
        self._first_s, self._longest_s = first_s, longest_s
        self._next_s = first_s

    def next_s(self) -> float:
        """How long to wait now."""
        delay = self._next_s * random.uniform(0.75, 1.25)  # jitter, not a secret
        self._next_s = min(self._next_s * 2, self._longest_s)
        return min(delay, self._longest_s)

    def reset(self) -> None:
        """It worked."""
        self._next_s = self._first_s
