"""What asks PortAudio: `python -m kitsu.soundcard.process list out|in | play NAME VOLUME`; a JSON object on stdout."""

import json
import math
import sys
from array import array
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kitsu.soundcard.portaudio import Device, TroubleError, devices, load, pick

TONE_HZ = 440.0
TONE_S = 1.0
FADE_S = 0.02
PEAK_DBFS = -18.0
"""Loud enough to be heard on speakers, quiet enough for headphones."""


def main(arguments: Sequence[str]) -> int:
    """Answer one question."""
    try:
        match arguments:
            case ["list", ("out" | "in") as way]:
                answer: dict[str, Any] = {"devices": [asdict(device) for device in devices(load(), way)]}
            case ["play", name, volume]:
                answer = {"played": asdict(_play(load(), name, int(volume)))}
            case _:
                return 2
    except TroubleError as trouble:
        answer = {"trouble": {"code": trouble.code, "found": trouble.found, "do": trouble.do}}
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


def _play(portaudio: Any, name: str, volume: int) -> Device:
    device = pick(devices(portaudio), name)
    channels = min(2, device.channels)
    try:
        with portaudio.RawOutputStream(
            samplerate=device.rate_hz, device=device.number, channels=channels, dtype="int16"
        ) as stream:
            stream.write(tone(device.rate_hz, channels, volume))
    except (portaudio.PortAudioError, ValueError) as error:
        found = f"{device.name} cannot be opened: {error}"
        raise TroubleError("device_failed", found, "close what uses it, or name another one") from None
    return device


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
