"""The microphone of this machine."""

import asyncio
from collections.abc import Callable

from kitsu.errors import EngineError
from kitsu.soundcard.kept import DeviceNow, KeptDevice
from kitsu_asr.capture import Capture, open_capture

WATCH_S = 0.25
WAITING = 100  # blocks of 20 ms that may wait for the loop; then the newest are let go

OnSound = Callable[[bytes, int, float], None]
"""s16le mono, its rate, when its last sample was heard (perf_counter)."""


class Microphone(KeptDevice[Capture]):
    """A kept device whose sound comes to the loop.

    Args:
        on_sound: called on the loop.
        on_change: called when `state` has changed.
        on_lost: told when it went by itself.
    """

    def __init__(
        self, on_sound: OnSound, on_change: Callable[[], None], on_lost: Callable[[EngineError], None]
    ) -> None:
        super().__init__("in", lambda name: open_capture(name, self._hear), on_change, WATCH_S)
        self.dropped = 0  # blocks
        self._on_sound = on_sound
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._rate_hz = 0
        self._waiting = 0

    @property
    def state(self) -> DeviceNow:
        """As `asr.state` tells it."""
        return self.now

    def _hear(self, pcm: bytes, heard_at: float) -> None:
        """In PortAudio's thread."""
        if self._waiting < WAITING and not self._loop.is_closed():
            self._waiting += 1
            self._loop.call_soon_threadsafe(self._deliver, pcm, heard_at)
        else:
            self.dropped += 1

    def _deliver(self, pcm: bytes, heard_at: float) -> None:
        self._waiting -= 1
        if self._rate_hz:
            self._on_sound(pcm, self._rate_hz, heard_at)

    def _opened(self, device: Capture) -> None:
        self._rate_hz = device.rate_hz

    def _closed(self) -> None:
        """Nobody is to be told of it but by `on_change`."""

    def _lost(self, label: str) -> None:
        text = f"The microphone {label} is gone; Kitsu hears nobody there until it is back."
        self._change(trouble=text)
        self._on_lost(EngineError("microphone_lost", text, retryable=True))

    def _missing(self, chosen: str) -> str:
        return f"The microphone {chosen} is not there; it is waited for."

    def _watched(self) -> None:
        """Its sound says enough."""
