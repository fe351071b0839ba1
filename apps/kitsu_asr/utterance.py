"""One utterance on its way from the first voiced sample to its end."""

from collections import deque

import numpy as np

from kitsu.protocol import new_id
from kitsu_asr.agreement import Agreement
from kitsu_asr.pcm import SILENCE_DBFS, Samples, dbfs, to_s16


class Utterance:
    """What is known of it."""

    def __init__(self, start_ms: float) -> None:
        self.id = new_id()
        self.start_ms = start_ms
        self.first_ms = start_ms  # of the sound that the recogniser got
        self.end_ms = start_ms
        self.last_voiced_s = 0.0  # wall time
        self.silence_ms = 0.0
        self.voiced_ms = 0.0
        self.agreement = Agreement()
        self.asked: deque[bool] = deque()  # partial results that are on their way; whether of all that was said
        self.asked_at_ms = start_ms
        self.took_ms = 0.0  # the last one
        self.held: list[bytes] = []  # sound of a pause: given only when the speaker goes on
        self.language = ""
        self.addressed = False
        self.opened = False
        self._power = 0.0
        self._frames = 0
        self._echo = 0.0

    @property
    def level_dbfs(self) -> float:
        return 10 * float(np.log10(self._power / self._frames)) if self._frames and self._power > 0 else SILENCE_DBFS

    @property
    def echo(self) -> float:
        return round(self._echo / self._frames, 3) if self._frames else 0.0

    def voiced(self, frame: Samples, echo: float, frame_ms: float) -> None:
        """A frame with voice in it."""
        self.voiced_ms += frame_ms
        self._power += 10 ** (dbfs(frame) / 10)
        self._echo += echo
        self._frames += 1

    def hold(self, frame: Samples) -> None:
        """A frame of a pause."""
        self.held.append(to_s16(frame))

    def release(self) -> bytes:
        """What was held."""
        pcm = b"".join(self.held)
        self.held.clear()
        return pcm
