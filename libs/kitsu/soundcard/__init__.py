"""Sound devices, asked in a process of their own: a driver that hangs, crashes or chatters cannot touch who asks."""

import json
import subprocess
import sys
from typing import Any

from kitsu.soundcard.portaudio import DEFAULT, GET_PORTAUDIO, Device, TroubleError, Way

__all__ = ["DEFAULT", "GET_PORTAUDIO", "Device", "TroubleError", "Way", "ask_devices", "play_tone"]

LIST_S = 2.5
PLAY_S = 8.0
COMMAND = (sys.executable, "-P", "-m", "kitsu.soundcard.process")


def ask_devices(way: Way = "out") -> list[Device]:
    """All devices that can play (`out`), or hear (`in`).

    Raises:
        TroubleError: `sound_missing`, `sound_failed`, `sound_hangs`, `sound_crashed`.
    """
    return [Device(**device) for device in _ask("list", way, timeout_s=LIST_S)["devices"]]


def play_tone(name: str, volume: int) -> Device:
    """Play the test tone on the device `name` (empty: the default one); `volume` 0 to 100. Raises as above, and
    `device_missing`, `device_failed`."""
    return Device(**_ask("play", name, str(volume), timeout_s=PLAY_S)["played"])


def _ask(*arguments: str, timeout_s: float) -> Any:
    try:
        done = subprocess.run(
            [*COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout_s, check=False
        )
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        found = f"the sound system did not answer within {timeout_s:g} s"
        raise TroubleError("sound_hangs", found, "restart it") from None
    except (OSError, ValueError):
        found = "the sound system crashed when it was asked"
        raise TroubleError("sound_crashed", found, "install its driver anew") from None
    if "trouble" in answer:
        raise TroubleError(**answer["trouble"])
    return answer
