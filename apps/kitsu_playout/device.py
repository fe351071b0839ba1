"""A sound device as a sink. PortAudio is loaded only when one is chosen."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np

from kitsu.errors import EngineError
from kitsu.protocol import STREAM_RATE_HZ
from kitsu.soundcard import TroubleError
from kitsu.soundcard.portaudio import Device, devices, load, pick
from kitsu_playout.mixer import Samples, fade

BLOCK = 240  # samples the device asks for at once, 5 ms
FADE = 144  # samples, 3 ms: how a flush ends
LIMIT = STREAM_RATE_HZ  # samples that may wait; the clock keeps far less
DEAF_S = 2.0  # a device that asks for no sound for so long was pulled out, whatever its driver says


class Stream(Protocol):
    """What we use of `sounddevice.RawOutputStream`."""

    latency: float
    active: bool

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Backend(NamedTuple):
    """PortAudio, or what stands in for it."""

    open_stream: Callable[..., Stream]
    errors: tuple[type[Exception], ...]


class DeviceSink:
    """Plays what it is given, zeros otherwise. `position` is the stream sample that leaves the speaker."""

    def __init__(self, device: Device, backend: Backend, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises:
        EngineError: `device_failed`.
        """
        self.label = device.label
        self.underruns = 0
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Samples]] = deque()  # position of the first sample, samples
        self._count = 0
        self._ending = np.zeros(0, np.int16)  # the fade that is still to be played
        self._played = -1  # nothing yet
        self._asked_at = clock()
        self._errors = backend.errors
        try:
            self._stream = backend.open_stream(
                samplerate=STREAM_RATE_HZ,
                blocksize=BLOCK,
                device=device.number,
                channels=1,
                dtype="int16",
                latency="low",
                callback=self._fill,
            )
            self._stream.start()
        except backend.errors as error:
            raise EngineError(
                "device_failed",
                f"{device.label} cannot be opened ({error}). Close what uses it, or choose another one: kitsu device",
                retryable=True,
            ) from None

    @property
    def active(self) -> bool:
        """False: the device stopped by itself, unplugged perhaps."""
        try:
            running = self._stream.active
        except self._errors:
            return False
        return running and self._clock() - self._asked_at < DEAF_S

    @property
    def state(self) -> Literal["running", "idle"]:
        """Idle: it was given nothing yet, so its position means nothing."""
        return "idle" if self._played < 0 else "running"

    @property
    def latency_s(self) -> float:
        """From our buffer to the speaker."""
        return self._stream.latency + BLOCK / STREAM_RATE_HZ

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
        """Silent, and free for others. What ails a device that is gone is no news."""
        try:
            self._stream.stop()
            self._stream.close()
        except self._errors:
            return

    def _fill(self, out: Any, frames: int, time: Any, status: Any) -> None:
        """In PortAudio's thread."""
        self._asked_at = self._clock()
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
    try:
        portaudio = load()
        device = pick(devices(portaudio), name)
    except TroubleError as trouble:
        raise in_words(trouble) from None
    return DeviceSink(device, Backend(portaudio.RawOutputStream, (portaudio.PortAudioError, ValueError, OSError)))


def in_words(trouble: TroubleError) -> EngineError:
    """The same, for the operator."""
    text = f"{trouble.found[:1].upper()}{trouble.found[1:]}. What helps: {trouble.do}."
    return EngineError(trouble.code, text, retryable=True)
