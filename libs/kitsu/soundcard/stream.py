"""One open stream of PortAudio, to a device that may be pulled out."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from kitsu.errors import EngineError
from kitsu.soundcard.portaudio import Device, TroubleError, Way, devices, load, pick

DEAF_S = 2.0  # a device that asks for nothing (or gives nothing) for so long was pulled out, whatever its driver says


class Stream(Protocol):
    """What we use of sounddevice's `RawOutputStream` and `RawInputStream`."""

    latency: float
    active: bool

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Backend(NamedTuple):
    """PortAudio, or what stands in for it."""

    open_stream: Callable[..., Stream]
    errors: tuple[type[Exception], ...]


class OpenStream:
    """Runs from the moment it is made.

    Args:
        callback: called in PortAudio's thread with the block (a buffer of int16), its frames, times and status.
        choose: the command that shows what else there is.
    """

    def __init__(
        self,
        device: Device,
        backend: Backend,
        callback: Callable[[Any, int, Any, Any], None],
        clock: Callable[[], float],
        *,
        rate_hz: int,
        block: int,
        channels: int,
        choose: str,
    ) -> None:
        """Raises:
        EngineError: `device_failed`.
        """
        self._callback = callback
        self._clock = clock
        self._called_at = clock()
        self._errors = backend.errors
        try:
            self._stream = backend.open_stream(
                samplerate=rate_hz,
                blocksize=block,
                device=device.number,
                channels=channels,
                dtype="int16",
                latency="low",
                callback=self._called,
            )
            self._stream.start()
        except backend.errors as error:
            raise EngineError(
                "device_failed",
                f"{device.label} cannot be opened ({error}). Close what uses it, or choose another one: {choose}",
                retryable=True,
            ) from None

    @property
    def active(self) -> bool:
        """False: it stopped by itself, unplugged perhaps."""
        try:
            running = self._stream.active
        except self._errors:
            return False
        return running and self._clock() - self._called_at < DEAF_S

    @property
    def latency_s(self) -> float:
        """Between the callback's block and the air, as the driver says."""
        return self._stream.latency

    def close(self) -> None:
        """Silent, or deaf, and free for others. What ails a device that is gone is no news."""
        try:
            self._stream.stop()
            self._stream.close()
        except self._errors:
            return

    def _called(self, data: Any, frames: int, when: Any, status: Any) -> None:
        self._called_at = self._clock()
        self._callback(data, frames, when, status)


def find(name: str, way: Way) -> tuple[Device, Backend]:
    """A device by its label, its number or a part of its name; blocks, and ends every stream that is open.

    Raises:
        EngineError: `sound_missing`, `sound_failed`, `device_missing`.
    """
    try:
        portaudio = load()
        device = pick(devices(portaudio, way), name, way)
    except TroubleError as trouble:
        raise trouble.in_words() from None
    open_stream = portaudio.RawOutputStream if way == "out" else portaudio.RawInputStream
    return device, Backend(open_stream, (portaudio.PortAudioError, ValueError, OSError))
