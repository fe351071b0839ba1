"""A sound device as a sink. PortAudio is loaded only when one is configured."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import numpy as np

from kitsu.errors import EngineError
from kitsu.protocol import STREAM_RATE_HZ
from kitsu_playout.mixer import Samples, fade

BLOCK = 240  # samples the device asks for at once, 5 ms
FADE = 144  # samples, 3 ms: how a flush ends
LIMIT = STREAM_RATE_HZ  # samples that may wait; the clock keeps far less


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

    def __init__(self, device: str, backend: Backend | None = None) -> None:
        """Raises:
        EngineError: `sound_missing` (no PortAudio), `device_missing`.
        """
        backend = backend or _portaudio()
        try:
            self._stream = backend.open_stream(
                samplerate=STREAM_RATE_HZ,
                blocksize=BLOCK,
                device=int(device) if device.isdecimal() else device,
                channels=1,
                dtype="int16",
                latency="low",
                callback=self._fill,
            )
        except backend.errors as error:
            raise EngineError(
                "device_missing",
                f"playout.device = {device!r} cannot be opened ({error}); browsers still play. "
                "`python -m sounddevice` lists the devices.",
                retryable=True,
            ) from None
        self._lock = threading.Lock()
        self._waiting: deque[tuple[int, Samples]] = deque()  # position of the first sample, samples
        self._count = 0
        self._ending = np.zeros(0, np.int16)  # the fade that is still to be played
        self._played = 0
        self.underruns = 0
        self._stream.start()

    @property
    def active(self) -> bool:
        """False: the device stopped by itself, unplugged perhaps."""
        return self._stream.active

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
        with suppress(OSError):
            self._stream.stop()
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


def _portaudio() -> Backend:
    try:
        import sounddevice  # loads PortAudio
    except ImportError:
        raise EngineError("sound_missing", "playout.device wants: pip install 'kitsu[sound]'") from None
    except OSError:
        raise EngineError(
            "sound_missing", "playout.device wants PortAudio. On Debian: apt-get install libportaudio2"
        ) from None
    return Backend(sounddevice.RawOutputStream, (sounddevice.PortAudioError, ValueError, OSError))
