"""Was it her own voice, through the loudspeakers? A second opinion on what the echo guard let pass, by its text.

Text alone proves nothing: recognisers invent words on synthetic speech, and people repeat what she said on purpose. It
counts only where a good part of the sound was hers.
"""

import math
import time
from collections import deque
from collections.abc import Callable

from rapidfuzz import fuzz

from kitsu_orchestrator.config import TalkSettings
from kitsu_orchestrator.ears.small_words import words_of

REMEMBERED = 8  # answers of hers
SURE = 0.6  # so much echo needs no long text
LONG = 10  # code points of a text that is compared with a part of what she said


class OwnVoice:
    """What one conversation was given to hear lately."""

    def __init__(self, settings: TalkSettings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._said: deque[tuple[float, str]] = deque(maxlen=REMEMBERED)  # when it ended (s), what

    def said(self, text: str) -> None:
        """She has just ended saying this."""
        if text:
            self._said.append((self._clock(), text))

    def is_hers(self, text: str, echo: float, saying: str = "") -> bool:
        """`echo`: share of the sound that was hers. `saying`: what she has said of the answer that runs."""
        if not share(echo) > self._settings.echo_share:
            return False
        since = self._clock() - self._settings.echo_s
        recent = [*(said for at, said in self._said if at >= since), saying]
        heard, hers = " ".join(words_of(text)), " ".join(words_of(" ".join(recent)))
        if not heard or not hers or (len(heard) < LONG and share(echo) < SURE):
            return False
        # what she did not say in that order is no echo: `partial_ratio` looks for the best stretch of hers
        return len(heard) <= len(hers) * 1.5 and fuzz.partial_ratio(heard, hers) >= self._settings.echo_likeness


def share(value: float) -> float:
    """A share that came over the wire: 0 to 1, whatever was sent."""
    return min(1.0, max(0.0, value)) if math.isfinite(value) else 0.0
