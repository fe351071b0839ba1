"""What asks PortAudio: `python -m kitsu_cli.sound_process list | play NAME VOLUME`; one JSON object on stdout."""

import json
import math
import sys
from array import array
from collections.abc import Sequence
from typing import Any

GET_PORTAUDIO = "Debian, Ubuntu: sudo apt-get install libportaudio2. Elsewhere: pip install kitsu[sound]"

TONE_HZ = 440.0
TONE_S = 1.0
FADE_S = 0.02
PEAK_DBFS = -18.0
"""Loud enough to be heard on speakers, quiet enough for headphones."""


class _TroubleError(Exception):
    def __init__(self, code: str, found: str, do: str) -> None:
        super().__init__(found)
        self.said = {"code": code, "found": found, "do": do}


def main(arguments: Sequence[str]) -> int:
    """Answer one question."""
    try:
        match arguments:
            case ["list"]:
                answer: dict[str, Any] = {"devices": _devices(_portaudio())}
            case ["play", name, volume]:
                answer = {"played": _play(_portaudio(), name, int(volume))}
            case _:
                return 2
    except _TroubleError as trouble:
        answer = {"trouble": trouble.said}
    sys.stdout.buffer.write(json.dumps(answer).encode())
    return 0


def tone(rate_hz: float, channels: int, volume: int) -> bytes:
    """One second of a sine at -18 dBFS (peak) times `volume` percent, faded in and out; int16, interleaved."""
    count = round(TONE_S * rate_hz)
    fade = FADE_S * rate_hz
    peak = 32767 * 10 ** (PEAK_DBFS / 20) * volume / 100
    samples = array("h")
    for n in range(count):
        level = peak * min(1.0, n / fade, (count - 1 - n) / fade)
        samples.extend([round(level * math.sin(2 * math.pi * TONE_HZ * n / rate_hz))] * channels)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _portaudio() -> Any:
    try:
        import sounddevice  # loads PortAudio
    except ImportError:
        raise _TroubleError(
            "sound_missing", "the package sounddevice is not installed", "pip install kitsu[sound]"
        ) from None
    except OSError:
        raise _TroubleError("sound_missing", "PortAudio is not installed", GET_PORTAUDIO) from None
    return sounddevice


def _devices(portaudio: Any) -> list[dict[str, Any]]:
    try:
        hosts = [str(host["name"]) for host in portaudio.query_hostapis()]
        default = portaudio.default.device[1]
        return [
            {
                "number": number,
                "name": str(device["name"]),
                "host": hosts[device["hostapi"]],
                "channels": int(device["max_output_channels"]),
                "rate_hz": float(device["default_samplerate"]),
                "default": number == default,
            }
            for number, device in enumerate(portaudio.query_devices())
            if device["max_output_channels"] > 0
        ]
    except portaudio.PortAudioError as error:
        raise _TroubleError(
            "sound_failed", f"the sound system failed: {error}", "restart it, or this machine"
        ) from None


def _play(portaudio: Any, name: str, volume: int) -> dict[str, Any]:
    device = _chosen(_devices(portaudio), name)
    channels = min(2, device["channels"])
    try:
        with portaudio.RawOutputStream(
            samplerate=device["rate_hz"], device=device["number"], channels=channels, dtype="int16"
        ) as stream:
            stream.write(tone(device["rate_hz"], channels, volume))
    except (portaudio.PortAudioError, ValueError) as error:
        found = f"{device['name']} cannot be opened: {error}"
        raise _TroubleError("device_failed", found, "close what uses it, or name another one") from None
    return device


def _chosen(devices: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """By number or by a part of the name; of several, one of the default device's sound interface comes first."""
    if not devices:
        raise _TroubleError(
            "device_missing", "there is no device to play on", "connect one; the pages can play as well"
        )
    default = next((device for device in devices if device["default"]), devices[0])
    if name in ("", "default"):
        return default
    found = [device for device in devices if name == str(device["number"])] or [
        device for device in devices if name.casefold() in f"{device['name']}, {device['host']}".casefold()
    ]
    if not found:
        raise _TroubleError("device_missing", f"there is no device {name!r}", "kitsu devices lists them")
    return min(found, key=lambda device: device["host"] != default["host"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
