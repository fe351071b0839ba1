"""PortAudio: loading it, what it can play on or hear with, and which device a name means."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kitsu.errors import EngineError

GET_PORTAUDIO = "Debian, Ubuntu: sudo apt-get install libportaudio2. Elsewhere: pip install kitsu[sound]"
DEFAULT = "default"
"""The name that means whatever the system plays on, or hears with."""

Way = Literal["out", "in"]


@dataclass(frozen=True, slots=True)
class Device:
    """One device that can play, or one that hears."""

    number: int
    name: str
    host: str  # the system's sound interface that offers it, such as ALSA or Windows WASAPI
    channels: int
    rate_hz: float
    default: bool

    @property
    def label(self) -> str:
        """What tells it from all others, also after numbers have changed."""
        return f"{self.name}, {self.host}"

    def answers_to(self, wanted: str) -> bool:
        """Whether `playout.device` = `wanted` could mean it: its number, or a part of its name."""
        return wanted == str(self.number) or wanted.casefold() in self.label.casefold()


class TroubleError(Exception):
    """Why there is no sound, and what helps."""

    def __init__(self, code: str, found: str, do: str) -> None:
        super().__init__(found)
        self.code = code
        self.found = found
        self.do = do

    def in_words(self) -> EngineError:
        """The same, for the operator of a running show."""
        text = f"{self.found[:1].upper()}{self.found[1:]}. What helps: {self.do}."
        return EngineError(self.code, text, retryable=True)


def load() -> Any:
    """The module that speaks to PortAudio.

    Raises:
        TroubleError: `sound_missing`, `sound_failed`.
    """
    known = "sounddevice" in sys.modules
    try:
        import sounddevice  # loads PortAudio
    except ImportError:
        raise TroubleError(
            "sound_missing", "the package sounddevice is not installed", "pip install kitsu[sound]"
        ) from None
    except OSError:
        raise TroubleError("sound_missing", "PortAudio is not installed", GET_PORTAUDIO) from None
    except Exception as error:  # noqa: BLE001 - its own PortAudioError, which cannot be named: the import failed
        raise _failed(error) from None
    if known:
        _look_again(sounddevice)
    return sounddevice


def devices(portaudio: Any, way: Way = "out") -> list[Device]:
    """All that can play (`out`), or hear (`in`).

    Raises:
        TroubleError: `sound_failed`.
    """
    try:
        hosts = [str(host["name"]) for host in portaudio.query_hostapis()]
        default = portaudio.default.device[way == "out"]
        channels = "max_output_channels" if way == "out" else "max_input_channels"
        return [
            Device(
                number=number,
                name=str(device["name"]),
                host=hosts[device["hostapi"]],
                channels=int(device[channels]),
                rate_hz=float(device["default_samplerate"]),
                default=number == default,
            )
            for number, device in enumerate(portaudio.query_devices())
            if device[channels] > 0
        ]
    except portaudio.PortAudioError as error:
        raise _failed(error) from None


def pick(there: Sequence[Device], name: str, way: Way = "out") -> Device:
    """By its label, its number or a part of its name; of several, one of the default device's sound interface first.

    Raises:
        TroubleError: `device_missing`.
    """
    if not there:
        what = "device to play on" if way == "out" else "microphone"
        raise TroubleError("device_missing", f"there is no {what}", "connect one; the pages can serve as well")
    default = next((device for device in there if device.default), there[0])
    if name in ("", DEFAULT):
        return default
    found = (
        [device for device in there if device.label == name]
        or [device for device in there if name == str(device.number)]
        or [device for device in there if device.answers_to(name)]
    )
    if not found:
        raise TroubleError("device_missing", f"there is no device {name!r}", "kitsu devices lists them")
    return min(found, key=lambda device: device.host != default.host)


def _look_again(portaudio: Any) -> None:
    """PortAudio knows only what was plugged in when it began. Ends every stream that is open."""
    try:
        portaudio._terminate()
        portaudio._initialize()
    except portaudio.PortAudioError as error:
        raise _failed(error) from None


def _failed(error: Exception) -> TroubleError:
    return TroubleError("sound_failed", f"the sound system failed: {error}", "restart it, or this machine")
