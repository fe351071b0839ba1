"""Sound devices, asked in a process of their own: a driver that hangs, crashes or chatters cannot touch the command."""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from kitsu_cli.sound_process import GET_PORTAUDIO

__all__ = ["GET_PORTAUDIO", "Device", "Trouble", "ask_devices", "play_tone"]

LIST_S = 2.5
PLAY_S = 8.0
COMMAND = (sys.executable, "-P", "-m", "kitsu_cli.sound_process")


@dataclass(frozen=True, slots=True)
class Device:
    """One device that can play."""

    number: int
    name: str
    host: str  # the system's sound interface that offers it, such as ALSA or Windows WASAPI
    channels: int
    rate_hz: float
    default: bool

    def answers_to(self, wanted: str) -> bool:
        """Whether `playout.device` = `wanted` could mean it: its number, or a part of its name."""
        return wanted == str(self.number) or wanted.casefold() in f"{self.name}, {self.host}".casefold()


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no sound, and what helps."""

    code: str
    found: str
    do: str


def ask_devices() -> list[Device] | Trouble:
    """All devices that can play."""
    answer = _ask("list", timeout_s=LIST_S)
    return answer if isinstance(answer, Trouble) else [Device(**device) for device in answer["devices"]]


def play_tone(name: str, volume: int) -> Device | Trouble:
    """Play the test tone on the device `name` (empty: the default one); `volume` 0 to 100."""
    answer = _ask("play", name, str(volume), timeout_s=PLAY_S)
    return answer if isinstance(answer, Trouble) else Device(**answer["played"])


def _ask(*arguments: str, timeout_s: float) -> Any:
    try:
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, timeout=timeout_s, check=False)
        answer = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return Trouble("sound_hangs", f"the sound system did not answer within {timeout_s:g} s", "restart it")
    except (OSError, ValueError):
        return Trouble("sound_crashed", "the sound system crashed when it was asked", "install its driver anew")
    return Trouble(**answer["trouble"]) if "trouble" in answer else answer
