"""A microphone of this machine. PortAudio is loaded only when one is chosen."""

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np

from kitsu.errors import EngineError
from kitsu.soundcard import TroubleError
from kitsu.soundcard.portaudio import Device, devices, load, pick

BLOCK_S = 0.02
DEAF_S = 2.0  # a microphone that gives no sound for so long was pulled out, whatever its driver says

Hear = Callable[[bytes, float], None]
"""Takes s16le mono at the microphone's rate, and when its last sample was heard. Called in PortAudio's thread."""


class Stream(Protocol):
    """What we use of `sounddevice.RawInputStream`."""

    active: bool
    latency: float

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Backend(NamedTuple):
    """PortAudio, or what stands in for it."""

    open_stream: Callable[..., Stream]
    errors: tuple[type[Exception], ...]


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
        self._given_at = clock()
        self._errors = backend.errors
        try:
            self._stream = backend.open_stream(
                samplerate=self.rate_hz,
                blocksize=round(self.rate_hz * BLOCK_S),
                device=device.number,
                channels=self._channels,
                dtype="int16",
                latency="low",
                callback=self._take,
            )
            self._stream.start()
        except backend.errors as error:
            raise EngineError(
                "device_failed",
                f"{device.label} cannot be opened ({error}). Close what uses it, or choose another one: kitsu devices",
                retryable=True,
            ) from None

    @property
    def active(self) -> bool:
        """False: it stopped by itself, unplugged perhaps."""
        try:
            running = self._stream.active
        except self._errors:
            return False
        return running and self._clock() - self._given_at < DEAF_S

    def close(self) -> None:
        """Deaf, and free for others."""
        with self._lock:
            self._hear = lambda pcm, heard_at: None
        try:
            self._stream.stop()
            self._stream.close()
        except self._errors:
            return

    def _take(self, data: Any, frames: int, when: Any, status: Any) -> None:
        """In PortAudio's thread."""
        self._given_at = self._clock()
        if status:
            self.overflows += 1
        pcm = bytes(data)
        if self._channels == 2:
            pcm = _mono(pcm)
        with self._lock:
            self._hear(pcm, self._given_at)


def open_capture(name: str, hear: Hear) -> Capture:
    """Open a microphone, by its label, its number or a part of its name; blocks, and ends every stream that is open.

    Raises:
        EngineError: `sound_missing`, `sound_failed`, `device_missing`, `device_failed`.
    """
    try:
        portaudio = load()
        device = pick(devices(portaudio, "in"), name, "in")
    except TroubleError as trouble:
        raise in_words(trouble) from None
    return Capture(device, Backend(portaudio.RawInputStream, (portaudio.PortAudioError, ValueError, OSError)), hear)


def in_words(trouble: TroubleError) -> EngineError:
    """The same, for the operator."""
    text = f"{trouble.found[:1].upper()}{trouble.found[1:]}. What helps: {trouble.do}."
    return EngineError(trouble.code, text, retryable=True)


def _mono(pcm: bytes) -> bytes:
    pairs = np.frombuffer(pcm, "<i2").reshape(-1, 2).astype(np.int32)
    return ((pairs[:, 0] + pairs[:, 1]) // 2).astype("<i2").tobytes()
