"""A sound device as a sink. PortAudio is loaded only when one is chosen."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from kitsu.protocol import STREAM_RATE_HZ
from kitsu.soundcard import Device
from kitsu.soundcard.stream import Backend, OpenStream, find
from kitsu_playout.mixer import Samples, fade

BLOCK = 240  # samples the device asks for at once, 5 ms
FADE = 144  # samples, 3 ms: how a flush ends
LIMIT = STREAM_RATE_HZ  # samples that may wait; the clock keeps far less


class DeviceSink:
    """Plays what it is given, zeros otherwise. `position` is the stream sample that leaves the speaker."""

    def __init__(self, device: Device, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises:
        EngineError: `device_failed`.
        """
        self.label = device.label
        self.underruns = 0
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Samples]] = deque()  # position of the first sample, samples
        self._count = 0
        self._ending = np.zeros(0, np.int16)  # the fade that is still to be played
        self._played = -1  # nothing yet
        self._stream = OpenStream(
            device,
            backend,
            self._fill,
            clock,
            rate_hz=STREAM_RATE_HZ,
            block=BLOCK,
            channels=1,
            choose="kitsu device",
        )

    @property
    def active(self) -> bool:
        """False: the device stopped by itself, unplugged perhaps."""
        return self._stream.active

    @property
    def state(self) -> Literal["running", "idle"]:
        """Idle: it was given nothing yet, so its position means nothing."""
        return "idle" if self._played < 0 else "running"

    @property
    def latency_s(self) -> float:
        """From our buffer to the speaker."""
        return self._stream.latency_s + BLOCK / STREAM_RATE_HZ

    def play(self, position: int, samples: Samples) -> None:
        """Queue samples that begin at stream `position`."""
        with self._lock:
            if self._count + len(samples) <= LIMIT:
                self._waiting.append((position, samples))
                self._count += len(samples)

    def flush(self) -> float:
        """Fade out and forget the rest. Returns how long it still sounds (s)."""
        with self._lock:
            self._ending = fade(self._take(FADE), out=True)
            self._waiting.clear()
            self._count = 0
        return len(self._ending) / STREAM_RATE_HZ + self.latency_s if len(self._ending) else 0.0

    def position(self) -> int:
        """Stream sample that is heard now."""
        return max(0, self._played - round(self.latency_s * STREAM_RATE_HZ))

    def close(self) -> None:
        """Silent, and free for others."""
        self._stream.close()

    def _fill(self, out: Any, frames: int, time: Any, status: Any) -> None:
        """In PortAudio's thread."""
        with self._lock:
            first = self._ending[:frames]
            self._ending = self._ending[frames:]
            samples = np.concatenate((first, self._take(frames - len(first))))
        if status:
            self.underruns += 1
        view = np.frombuffer(out, np.int16)
        view[: len(samples)] = samples
        view[len(samples) :] = 0

    def _take(self, count: int) -> Samples:
        taken: list[Samples] = []
        while count and self._waiting:
            position, samples = self._waiting.popleft()
            if len(samples) > count:
                self._waiting.appendleft((position + count, samples[count:]))
                samples = samples[:count]
            count -= len(samples)
            self._count -= len(samples)
            self._played = position + len(samples)
            taken.append(samples)
        return np.concatenate(taken) if taken else np.zeros(0, np.int16)


def open_device(name: str) -> DeviceSink:
    """Open a device, by its label, its number or a part of its name; blocks, and ends every stream that is open.

    Raises:
        EngineError: `sound_missing`, `sound_failed`, `device_missing`, `device_failed`.
    """
    device, backend = find(name, "out")
    return DeviceSink(device, backend)
