"""What a conversation is given to hear, once more at 16 kHz: ears need it to tell her voice from others'."""

import numpy as np
import soxr

from kitsu.protocol import EARS_RATE_HZ, STREAM_RATE_HZ, PlayoutFrame, PlayoutReference
from kitsu_playout.mixer import Samples


class Mirror:
    """One conversation. When its sound ran dry, the next piece begins a new run."""

    def __init__(self) -> None:
        self._stream = soxr.ResampleStream(STREAM_RATE_HZ, EARS_RATE_HZ, 1, dtype="float32", quality="LQ")
        self._position = 0  # at 16 kHz
        self._due_s = 0.0  # when the next sample leaves the clock
        self._next = -1  # stream position that continues the run

    def take(self, frame: PlayoutFrame, samples: Samples, now_s: float) -> tuple[PlayoutReference, bytes]:
        """The same sound, and when it will be heard."""
        if frame.position != self._next or self._due_s < now_s:
            self._due_s = now_s
        ahead_ms = round((self._due_s - now_s) * 1000, 1)
        self._next = frame.position + len(samples)
        self._due_s += len(samples) / STREAM_RATE_HZ
        small = self._stream.resample_chunk(samples.astype(np.float32))
        reference = PlayoutReference(conv=frame.conv, gen=frame.gen, position=self._position, ahead_ms=ahead_ms)
        self._position += len(small)
        return reference, np.clip(small, -32768, 32767).astype("<i2").tobytes()
