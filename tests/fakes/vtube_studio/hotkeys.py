"""The hotkey queue."""

from collections import deque
from collections.abc import Callable

from tests.fakes.vtube_studio.errors import ApiError, ErrorID
from tests.fakes.vtube_studio.model import Hotkey

FRAME_S = 1 / 60
EVERY_FRAMES = 5  # README, "Requesting execution of hotkeys": one is taken from the queue every 5 frames
QUEUE = 32  # the same section


class Hotkeys:
    """`run` is called with each hotkey when it is its turn; `now` is a monotonic clock (s)."""

    def __init__(self, now: Callable[[], float], run: Callable[[Hotkey, str], None]) -> None:
        self._now = now
        self._run = run
        self._queue: deque[tuple[Hotkey, str]] = deque()
        self._accepted: dict[str, float] = {}

    def put(self, key: Hotkey, plugin: str) -> None:
        """README, the same section: one specific hotkey once every 5 frames; an error when the queue is full."""
        if self._now() - self._accepted.get(key.id, -1e9) < EVERY_FRAMES * FRAME_S:
            raise ApiError(ErrorID.HotkeyCooldownNotOver, "The cooldown of this hotkey is not over.")
        if len(self._queue) >= QUEUE:
            raise ApiError(ErrorID.HotkeyQueueFull, "The hotkey queue is full.")
        self._accepted[key.id] = self._now()
        self._queue.append((key, plugin))

    def step(self) -> None:
        """Five frames have passed."""
        if self._queue:
            self._run(*self._queue.popleft())

    def clear(self) -> None:
        """The model is gone."""
        self._queue.clear()
