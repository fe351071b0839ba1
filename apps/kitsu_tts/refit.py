"""Makes one voice's sound fit into another one's stream."""

import numpy as np
import soxr

_TOP = 32767


class Refit:
    """From one rate and level to another. Keeps its place between chunks."""

    def __init__(self, from_hz: int, to_hz: int, gain_db: float) -> None:
        self._gain = 10 ** (gain_db / 20)
        self._resampler = soxr.ResampleStream(from_hz, to_hz, 1, "float32", "QQ") if from_hz != to_hz else None

    def feed(self, pcm: bytes) -> bytes:
        """s16le mono in and out."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        return bytes(np.clip(samples * self._gain, -_TOP - 1, _TOP).astype("<i2").tobytes())
