"""PortAudio: loading it, what it can play on, and which device a name means."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

GET_PORTAUDIO = "Debian, Ubuntu: sudo apt-get install libportaudio2. Elsewhere: pip install kitsu[sound]"
DEFAULT = "default"
"""The name that means whatever the system plays on."""


@dataclass(frozen=True, slots=True)
class Device:
    """One device that can play."""

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


def devices(portaudio: Any) -> list[Device]:
    """All that can play.

    Raises:
        TroubleError: `sound_failed`.
    """
    try:
        hosts = [str(host["name"]) for host in portaudio.query_hostapis()]
        default = portaudio.default.device[1]
        return [
            Device(
                number=number,
                name=str(device["name"]),
                host=hosts[device["hostapi"]],
                channels=int(device["max_output_channels"]),
                rate_hz=float(device["default_samplerate"]),
                default=number == default,
            )
            for number, device in enumerate(portaudio.query_devices())
            if device["max_output_channels"] > 0
        ]
    except portaudio.PortAudioError as error:
        raise _failed(error) from None


def pick(there: Sequence[Device], name: str) -> Device:
    """By its label, its number or a part of its name; of several, one of the default device's sound interface first.

    Raises:
        TroubleError: `device_missing`.
    """
    if not there:
        raise TroubleError("device_missing", "there is no device to play on", "connect one; the pages can play as well")
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
