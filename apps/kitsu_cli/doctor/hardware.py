"""The machine: sound, graphics, and libraries that come from elsewhere."""

import ctypes.util
import shutil
import subprocess
import sys
from collections.abc import Sequence

from kitsu import soundcard
from kitsu.config import read
from kitsu_cli.doctor.finding import Finding

COMMAND_S = 2.5
QUERY = ("--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")


def gpu() -> Sequence[Finding]:
    """What `nvidia-smi` says. Nothing of Kitsu needs a GPU."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return [Finding("gpu", "off", "none: the CPU does it")]
    try:
        done = subprocess.run([command, *QUERY], capture_output=True, timeout=COMMAND_S, check=False)
    except subprocess.TimeoutExpired:
        return [Finding("gpu", "off", f"nvidia-smi did not answer within {COMMAND_S:g} s: the CPU does it")]
    except OSError as error:
        return [Finding("gpu", "broken", f"{command} does not run ({error.strerror})", _DRIVER)]
    text = (done.stdout or done.stderr).decode("utf-8", "replace").strip()
    if done.returncode != 0 or not text:
        return [Finding("gpu", "broken", (text or "nvidia-smi failed").splitlines()[0][:120], _DRIVER)]
    return [Finding("gpu", "ok", _card(line)) for line in text.splitlines()[:8]]


_DRIVER = "install the graphics driver anew; until then the CPU does it"


def _card(line: str) -> str:
    name, _, rest = line.partition(",")
    memory, _, driver = rest.partition(",")
    return f"{name.strip()}, {memory.strip() or 'memory unknown'}, driver {driver.strip() or 'unknown'}"


def sound() -> Sequence[Finding]:
    """Sound devices; they are needed only when `playout.device` names one."""
    wanted = str(read().values.get("playout", {}).get("device", ""))
    try:
        heard = soundcard.ask_devices()
    except soundcard.TroubleError as trouble:
        if not wanted:
            return [Finding("sound", "off", f"{trouble.found}; the pages play the sound", trouble.do)]
        return [Finding("sound", "broken", f"playout.device = {wanted}, but {trouble.found}", trouble.do)]
    default = next((device.name for device in heard if device.default), "none by default")
    if not wanted or wanted == soundcard.DEFAULT or any(device.answers_to(wanted) for device in heard):
        return [Finding("sound", "ok" if heard else "off", f"{len(heard)} to play on; {default}")]
    return [Finding("sound", "broken", f"there is no device {wanted!r} (playout.device)", "kitsu devices lists them")]


def libraries() -> Sequence[Finding]:
    """Whether each is needed, bundled or optional, and there."""
    wanted = bool(read().values.get("playout", {}).get("device"))
    ffmpeg = shutil.which("ffmpeg")
    return [
        Finding("ffmpeg", "ok" if ffmpeg else "off", f"optional, {ffmpeg or 'not there: nothing needs it yet'}"),
        _portaudio(wanted),
        _library("libsndfile", "sndfile", "optional", "not there: nothing needs it yet"),
    ]


def _portaudio(wanted: bool) -> Finding:
    bundled = sys.platform in ("win32", "darwin")
    if bundled:
        return Finding("portaudio", "ok", "bundled with the package sounddevice")
    found = _library("portaudio", "portaudio", "needed by playout.device" if wanted else "optional", "not there")
    if found.state == "ok":
        return found
    return Finding("portaudio", "broken" if wanted else "off", found.found, soundcard.GET_PORTAUDIO)


def _library(check: str, name: str, role: str, missing: str) -> Finding:
    found = ctypes.util.find_library(name)
    return Finding(check, "ok" if found else "off", f"{role}, {found or missing}")
