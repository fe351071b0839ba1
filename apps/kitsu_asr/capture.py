"""A microphone of this machine. PortAudio is loaded only when one is chosen."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from kitsu.soundcard import Device
from kitsu.soundcard.stream import Backend, OpenStream, find

BLOCK_S = 0.02

Hear = Callable[[bytes, float], None]
"""Takes s16le mono at the microphone's rate, and when its last sample was heard. Called in PortAudio's thread."""


class Capture:
    """An open microphone."""

    def __init__(
        self, device: Device, backend: Backend, hear: Hear, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """Raises:
        EngineError: `device_failed`.
        """
        self.label = device.label
        self.rate_hz = int(device.rate_hz)
        self.overflows = 0
        self._channels = min(2, device.channels)
        self._hear = hear
        self._clock = clock
        self._lock = threading.Lock()
        self._stream = OpenStream(
            device,
            backend,
            self._take,
            clock,
            rate_hz=self.rate_hz,
            block=round(self.rate_hz * BLOCK_S),
            channels=self._channels,
            choose="kitsu devices",
        )

    @property
    def active(self) -> bool:
        """False: it stopped by itself, unplugged perhaps."""
        return self._stream.active

    def close(self) -> None:
        """Deaf, and free for others."""
        with self._lock:
            self._hear = lambda pcm, heard_at: None
        self._stream.close()

    def _take(self, data: Any, frames: int, when: Any, status: Any) -> None:
        """In PortAudio's thread."""
        heard_at = self._clock()
        if status:
            self.overflows += 1
        pcm = bytes(data)
        if self._channels == 2:
            pcm = _mono(pcm)
        with self._lock:
            self._hear(pcm, heard_at)


def open_capture(name: str, hear: Hear) -> Capture:
    """Open a microphone, by its label, its number or a part of its name; blocks, and ends every stream that is open.

    Raises:
        EngineError: `sound_missing`, `sound_failed`, `device_missing`, `device_failed`.
    """
    device, backend = find(name, "in")
    return Capture(device, backend, hear)


def _mono(pcm: bytes) -> bytes:
    pairs = np.frombuffer(pcm, "<i2").reshape(-1, 2).astype(np.int32)
    return ((pairs[:, 0] + pairs[:, 1]) // 2).astype("<i2").tobytes()
