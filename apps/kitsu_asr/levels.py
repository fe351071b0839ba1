"""Quiet microphones made louder, and steady noise taken out."""

import numpy as np

from kitsu_asr.pcm import SILENCE_DBFS, Samples, dbfs
from kitsu_asr.vad import FRAME

TARGET_DBFS = -16.0  # of the loudest frames: speech as a whole is some 5 dB lower
MAX_GAIN_DB = 24.0
UP_DB, DOWN_DB = 0.05, 1.0  # a frame of 20 ms: a gain that moves within a word costs words
FORGET_DB = 0.05  # a frame of speech


class AutoGain:
    """Slow, and only while somebody speaks: it must not raise the noise between words."""

    def __init__(self) -> None:
        self.gain_db = 0.0
        self._loudest = SILENCE_DBFS

    def feed(self, frame: Samples) -> Samples:
        """The frame, louder."""
        if self.gain_db < 0.1:
            return frame
        louder: Samples = np.clip(frame * np.float32(10 ** (self.gain_db / 20)), -1.0, 1.0)
        return louder

    def learn(self, frame: Samples) -> None:
        """A frame (before the gain) that was speech."""
        self._loudest = max(dbfs(frame), self._loudest - FORGET_DB)
        wanted = min(MAX_GAIN_DB, max(0.0, TARGET_DBFS - self._loudest))
        step = max(-DOWN_DB, min(UP_DB, wanted - self.gain_db))
        self.gain_db += step


class NoiseSuppressor:
    """Spectral subtraction with a running minimum as the noise; lags one frame (20 ms)."""

    FLOOR = 0.1  # of the amplitude stays: what is taken out wholly sounds, and recognises, worse
    RISE = 1.002

    def __init__(self) -> None:
        self._window = np.sqrt(np.hanning(2 * FRAME + 1)[:-1]).astype(np.float32)
        self._before = np.zeros(FRAME, np.float32)
        self._tail = np.zeros(FRAME, np.float32)
        self._noise = np.full(FRAME + 1, 1e9, np.float32)
        self._smooth = np.zeros(FRAME + 1, np.float32)

    def feed(self, frame: Samples) -> Samples:
        """A frame earlier, without the noise."""
        block = np.concatenate((self._before, frame)) * self._window
        self._before = frame
        spectrum = np.fft.rfft(block)
        power = (np.abs(spectrum) ** 2).astype(np.float32)
        self._smooth = 0.8 * self._smooth + 0.2 * power
        self._noise = np.minimum(self._noise * self.RISE, self._smooth + 1e-12)
        gain = np.maximum(self.FLOOR, 1.0 - 2.0 * np.sqrt(self._noise / (power + 1e-12)))
        out = np.fft.irfft(spectrum * gain).astype(np.float32) * self._window
        ready = self._tail + out[:FRAME]
        self._tail = out[FRAME:]
        return ready
