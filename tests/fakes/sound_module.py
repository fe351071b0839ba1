"""Stands in for the package sounddevice: `install(folder)` writes one that PYTHONPATH=`first(folder)` makes win.

Streams in both directions. What one with a callback was given to play lies in `heard-DEVICE.pcm` beside it. `unplug`
pulls devices out: open streams end, and the list changes when PortAudio begins anew, as it is with the real one.
"""

import json
import os
from pathlib import Path

SOURCE = """
import json, pathlib, threading, time

class PortAudioError(Exception):
    pass

class default:
    device = [0, 2]

MICROPHONE = {"max_input_channels": 1}
HERE = pathlib.Path(__file__).parent
PLAYED = HERE / "played.json"
DEVICES = [
    {"name": "Microphone", "hostapi": 0, "max_output_channels": 0, "default_samplerate": 44100.0} | MICROPHONE,
    {"name": "Headphones", "hostapi": 1, "max_output_channels": 2, "default_samplerate": 48000.0},
    {"name": "Headphones", "hostapi": 0, "max_output_channels": 1, "default_samplerate": 8000.0},
    {"name": "Broken \\x1b[2J box", "hostapi": 0, "max_output_channels": 2, "default_samplerate": 8000.0},
]

def _gone():
    try:
        return json.loads((HERE / "unplugged.json").read_text())
    except OSError:
        return []

def _initialize():
    global _there
    gone = _gone()
    none = {"max_output_channels": 0, "max_input_channels": 0}
    _there = [{"max_input_channels": 0} | d if n not in gone else d | none for n, d in enumerate(DEVICES)]

def _terminate():
    for stream in list(STREAMS):
        stream.close()

STREAMS = []
_initialize()

def query_hostapis():
    return [{"name": "ALSA"}, {"name": "JACK"}]

def query_devices():
    return _there

class RawOutputStream:
    latency = 0.01

    def __init__(self, samplerate, device, channels, dtype, blocksize=0, latency=None, callback=None):
        if device == 3 or not _there[device]["max_output_channels"]:
            raise PortAudioError("Device unavailable")
        self.about = {"rate": samplerate, "device": device, "channels": channels, "dtype": dtype}
        self._callback, self._block, self._rate = callback, blocksize, samplerate
        self._running = False
        STREAMS.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def write(self, data):
        PLAYED.write_text(json.dumps(self.about | {"bytes": len(data)}))

    @property
    def active(self):
        return self._running

    def start(self):
        self._running = True
        threading.Thread(target=self._pull, daemon=True).start()

    def stop(self):
        self._running = False

    def close(self):
        self._running = False
        if self in STREAMS:
            STREAMS.remove(self)

    def _pull(self):
        with (HERE / f"heard-{self.about['device']}.pcm").open("ab", buffering=0) as file:
            due = time.monotonic()
            while self._running and self.about["device"] not in _gone():
                out = bytearray(self._block * 2)
                self._callback(out, self._block, None, None)
                if any(out):
                    file.write(out)
                due += self._block / self._rate
                time.sleep(max(0.0, due - time.monotonic()))
        self._running = False
"""

INPUT = """
import array

class RawInputStream:
    latency = 0.01

    def __init__(self, samplerate, device, channels, dtype, blocksize=0, latency=None, callback=None):
        if not _there[device]["max_input_channels"]:
            raise PortAudioError("Device unavailable")
        self._device, self._callback, self._block, self._rate = device, callback, blocksize, samplerate
        self._running = False
        STREAMS.append(self)

    @property
    def active(self):
        return self._running

    def start(self):
        self._running = True
        threading.Thread(target=self._push, daemon=True).start()

    def stop(self):
        self._running = False

    def close(self):
        self._running = False
        if self in STREAMS:
            STREAMS.remove(self)

    def _push(self):
        said = array.array("h")
        try:
            said.frombytes((HERE / f"said-{self._device}.pcm").read_bytes())
        except OSError:
            pass
        due, place = time.monotonic(), 0
        while self._running and self._device not in _gone():
            at = [int((place + n) * 16000 / self._rate) for n in range(self._block)]
            block = array.array("h", (said[n] if n < len(said) else 0 for n in at))
            self._callback(block.tobytes(), self._block, None, None)
            place += self._block
            due += self._block / self._rate
            time.sleep(max(0.0, due - time.monotonic()))
        self._running = False
"""
SOURCE += INPUT

HANGS = "import time\ntime.sleep(60)\n"
CRASHES = "import os\nos._exit(11)\n"
NO_PORTAUDIO = "raise OSError('PortAudio library not found')\n"
NOT_INSTALLED = "raise ImportError('no module')\n"


def install(folder: Path, source: str = SOURCE) -> Path:
    """Write the module; returns the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "sounddevice.py").write_text(source, encoding="utf-8")
    return folder


def first(folder: Path) -> str:
    """PYTHONPATH with the folder before what is there, so that child processes run the same Kitsu as this one."""
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))


def speak_into(folder: Path, device: int, pcm: bytes) -> None:
    """What the microphone hears each time it is opened; s16le mono, 16 kHz."""
    (folder / f"said-{device}.pcm").write_bytes(pcm)


def unplug(folder: Path, *devices: int) -> None:
    """Only these are gone."""
    part = folder / "unplugged.part"
    part.write_text(json.dumps(devices), encoding="utf-8")
    part.replace(folder / "unplugged.json")


def heard(folder: Path, device: int) -> bytes:
    """What a device was given besides silence; s16le mono, 48 kHz."""
    file = folder / f"heard-{device}.pcm"
    return file.read_bytes() if file.exists() else b""
