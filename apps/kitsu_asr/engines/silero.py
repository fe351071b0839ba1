"""Silero's detector, version 6: a small network that comes with faster-whisper. 0.1 ms a window of 32 ms."""

import importlib.util
from pathlib import Path

import numpy as np
import onnxruntime

from kitsu_asr.pcm import Samples

WINDOW, CONTEXT = 512, 64
THRESHOLDS = (0.3, 0.4, 0.5, 0.7)  # by level
STAY = 0.15  # lower while somebody speaks: words end softly


class SileroVad:
    """Keeps the network's memory of one stream."""

    def __init__(self, level: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._net = onnxruntime.InferenceSession(str(_weights()), options, providers=["CPUExecutionProvider"])
        self._threshold = THRESHOLDS[level]
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._waiting = np.zeros(CONTEXT, np.float32)
        self._is_speech = False

    def speech(self, frame: Samples) -> bool:
        """A frame is what the window said that it completed, or else the one before."""
        self._waiting = np.concatenate((self._waiting, frame))
        while len(self._waiting) >= CONTEXT + WINDOW:
            window = self._waiting[: CONTEXT + WINDOW][None]
            out, self._h, self._c = self._net.run(None, {"input": window, "h": self._h, "c": self._c})
            self._waiting = self._waiting[WINDOW:]
            self._is_speech = float(out.reshape(-1)[0]) > self._threshold - (STAY if self._is_speech else 0.0)
        return self._is_speech


def _weights() -> Path:
    spec = importlib.util.find_spec("faster_whisper")  # found, not imported: that takes seconds and 100 MB
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("no faster_whisper", name="faster-whisper")
    return Path(spec.origin).parent / "assets" / "silero_vad_v6.onnx"
