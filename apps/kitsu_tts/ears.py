"""Listens to a voice before the audience does: what is no speech must not go on."""

import numpy as np
from numpy.typing import NDArray

from kitsu.errors import EngineError
from kitsu_tts.voice import Chunk

WINDOW_S = 0.5
FULL_SCALE = 32_600
CLIPPED_SHARE = 0.25  # of the samples in a window; shouted speech stays below 0.05
NOISE_RMS = 5_000.0  # -16 dBFS
NOISE_CROSSINGS = 0.4  # zero crossings a sample; a long "s" has them, but is far quieter
SILENT_S = 2.5
SILENT_PEAK = 100  # -50 dBFS
LONGEST_S = 3.0  # an utterance may last so long,
LONGEST_S_PER_CHAR = 0.5  # and so much more for each character


class Ears:
    """One utterance of one voice."""

    def __init__(self, text: str) -> None:
        self._limit_s = LONGEST_S + LONGEST_S_PER_CHAR * len(text)
        self._heard_s = 0.0
        self.silent = True  # nothing audible came yet
        self._window: NDArray[np.int16] = np.zeros(0, np.int16)

    def hear(self, chunk: Chunk) -> None:
        """Judge the next chunk.

        Raises:
            EngineError: `voice_garbled`, `voice_silent`, `voice_too_long`; all worth another try.
        """
        if len(chunk.pcm) % 2 or chunk.rate_hz <= 0:
            raise _unfit("voice_garbled", "half a sample came")
        samples = np.frombuffer(chunk.pcm, "<i2").astype(np.int16)
        self._heard_s += len(samples) / chunk.rate_hz
        if self._heard_s > self._limit_s:
            raise _unfit("voice_too_long", f"over {self._limit_s:.0f} s of sound for one short text")
        self.silent = self.silent and int(np.abs(samples.astype(np.int32)).max(initial=0)) < SILENT_PEAK
        if self.silent and self._heard_s > SILENT_S:
            raise _unfit("voice_silent", "only silence came")
        self._window = np.concatenate((self._window, samples))
        size = round(WINDOW_S * chunk.rate_hz)
        while len(self._window) >= size:
            _judge(self._window[:size])
            self._window = self._window[size:]


def _judge(window: NDArray[np.int16]) -> None:
    wide = window.astype(np.float64)
    if (np.abs(wide) >= FULL_SCALE).mean() > CLIPPED_SHARE:
        raise _unfit("voice_garbled", "the sound is clipped beyond speech")
    loud = float(np.sqrt((wide**2).mean())) > NOISE_RMS
    if loud and float((np.diff(np.signbit(wide)) != 0).mean()) > NOISE_CROSSINGS:
        raise _unfit("voice_garbled", "the sound is noise")


def _unfit(code: str, why: str) -> EngineError:
    return EngineError(code, f"the voice makes no speech: {why}", retryable=True)
