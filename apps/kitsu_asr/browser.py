"""A browser's microphone: pieces of PCM from the control door as one unbroken stream."""

import numpy as np

from kitsu.errors import ProtocolError
from kitsu.protocol import MicAudio
from kitsu_asr.pcm import MAX_RATE_HZ, MIN_RATE_HZ, Resampler, Samples, from_s16

LONGEST_GAP_S = 1.0  # of what got lost on the way: silence stands for it


class BrowserStream:
    """Of one `mic`."""

    def __init__(self) -> None:
        self.lost = 0  # samples, at 16 kHz
        self._resampler: Resampler | None = None
        self._next = 0

    def feed(self, audio: MicAudio, payload: memoryview) -> Samples:
        """16 kHz.

        Raises:
            ProtocolError: `bad_rate`.
        """
        if not MIN_RATE_HZ <= audio.rate_hz <= MAX_RATE_HZ:
            raise ProtocolError("bad_rate", f"a microphone at {audio.rate_hz} Hz is refused")
        if self._resampler is None or self._resampler.rate_hz != audio.rate_hz:
            self._resampler, self._next = Resampler(audio.rate_hz), audio.position
        samples = from_s16(payload)
        gap = audio.position - self._next
        self._next = audio.position + len(samples)
        if 0 < gap <= LONGEST_GAP_S * audio.rate_hz:
            self.lost += gap
            samples = np.concatenate((np.zeros(gap, np.float32), samples))
        return self._resampler.feed(samples)
