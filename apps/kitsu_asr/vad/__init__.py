"""Voice detection: is this frame speech? One table row a detector; the file is imported when it is chosen."""

import importlib
from typing import Protocol

from kitsu.errors import EngineError
from kitsu_asr.pcm import Samples

VADS = {
    "webrtc": "kitsu_asr.vad.webrtc:WebRtcVad",
    "silero": "kitsu_asr.engines.silero:SileroVad",
}

FRAME = 320
"""Samples of a frame: 20 ms."""


class Vad(Protocol):
    """One source's detector."""

    def speech(self, frame: Samples) -> bool:
        """Whether a frame of FRAME samples is speech."""


def make_vad(name: str, level: int) -> Vad:
    """A fresh detector; `level` 0 to 3, 3 takes the least noise for speech.

    Raises:
        EngineError: `vad_missing`.
    """
    module, _, attribute = VADS[name].partition(":")
    try:
        vad: Vad = getattr(importlib.import_module(module), attribute)(level)
    except ImportError as error:
        text = f"Voice detection by {name} is not installed ({error.name}). What helps: pip install kitsu[ears]."
        raise EngineError("vad_missing", text) from None
    return vad
