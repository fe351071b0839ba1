"""Stands in for the package sounddevice: `install(folder)` writes one that PYTHONPATH=folder makes win."""

from pathlib import Path

SOURCE = """
import json, pathlib, time

class PortAudioError(Exception):
    pass

class default:
    device = [0, 2]

PLAYED = pathlib.Path(__file__).with_name("played.json")

def query_hostapis():
    return [{"name": "ALSA"}, {"name": "JACK"}]

def query_devices():
    return [
        {"name": "Microphone", "hostapi": 0, "max_output_channels": 0, "default_samplerate": 44100.0},
        {"name": "Headphones", "hostapi": 1, "max_output_channels": 2, "default_samplerate": 48000.0},
        {"name": "Headphones", "hostapi": 0, "max_output_channels": 1, "default_samplerate": 8000.0},
        {"name": "Broken \\x1b[2J box", "hostapi": 0, "max_output_channels": 2, "default_samplerate": 8000.0},
    ]

class RawOutputStream:
    def __init__(self, samplerate, device, channels, dtype):
        if device == 3:
            raise PortAudioError("Device unavailable")
        self.about = {"rate": samplerate, "device": device, "channels": channels, "dtype": dtype}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def write(self, data):
        PLAYED.write_text(json.dumps(self.about | {"bytes": len(data)}))
"""

HANGS = "import time\ntime.sleep(60)\n"
CRASHES = "import os\nos._exit(11)\n"
NO_PORTAUDIO = "raise OSError('PortAudio library not found')\n"
NOT_INSTALLED = "raise ImportError('no module')\n"


def install(folder: Path, source: str = SOURCE) -> Path:
    """Write the module; returns the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "sounddevice.py").write_text(source, encoding="utf-8")
    return folder
