"""One segment: what came of its sound, what was played, which words and shapes lie where."""

from bisect import bisect_right
from collections import deque

import numpy as np

from kitsu.protocol import STREAM_RATE_HZ, SegmentHeard, TtsAudio, TtsFinished, VisemeName
from kitsu.speech.timing import WordTimeline
from kitsu_playout.mixer import Mixer, Samples

_SLACK_S = 0.005  # an announced length and what came may differ by rounding
NEVER = 1 << 62


class Segment:
    """Positions are stream samples from the segment's start unless a name says otherwise."""

    def __init__(self, index: int, caption: str) -> None:
        self.index = index
        self.chars = len(caption)
        self.begin = -1  # position in the turn; -1: not begun
        self.total = 0  # ready to be played, or played
        self.played = 0
        self.complete = False
        self.silenced_at = NEVER  # first sample that was muted
        self.lost = 0  # samples of the voice that never came
        self._chunks: deque[Samples] = deque()
        self._mixer: Mixer | None = None
        self._received = 0  # samples at the voice's rate
        self._announced: TtsFinished | None = None
        self._timeline = WordTimeline(caption)
        self._shapes: list[tuple[int, VisemeName]] = []

    @property
    def waiting(self) -> int:
        """Samples ready and not yet played."""
        return self.total - self.played

    def add(self, audio: TtsAudio, pcm: bytes | memoryview, gain_db: float, ceiling_db: float) -> bool:
        """Take the next chunk. False: it cannot be used (after the end, again, or at another rate)."""
        if self.complete or audio.position < self._received or len(pcm) % 2:
            return False
        if self._mixer is None:
            self._mixer = Mixer(audio.rate_hz, gain_db + audio.gain_db, ceiling_db)
        elif self._mixer.rate_hz != audio.rate_hz:
            return False
        self.lost += audio.position - self._received
        self._received = audio.position + len(pcm) // 2
        self._timeline.add(audio.words, audio.rate_hz)
        for viseme in audio.visemes:
            self._shapes.append((round(viseme.at * STREAM_RATE_HZ / audio.rate_hz), viseme.viseme))
        self._push(self._mixer.feed(pcm))
        self._complete_if_all_came()
        return True

    def finish(self, finished: TtsFinished) -> None:
        """The voice said how much there is; chunks may still be on their way."""
        self._announced = finished
        self._complete_if_all_came()

    def read(self, count: int) -> Samples:
        """The next samples, at most `count`; moves on."""
        taken = []
        left = min(count, self.waiting)
        self.played += left
        while left:
            chunk = self._chunks.popleft()
            if len(chunk) > left:
                self._chunks.appendleft(chunk[left:])
                chunk = chunk[:left]
            left -= len(chunk)
            taken.append(chunk)
        return np.concatenate(taken) if taken else np.zeros(0, np.int16)

    def silence(self, at: int) -> None:
        """What is played from `at` on is muted."""
        self.silenced_at = min(self.silenced_at, at)

    def heard(self, samples: int) -> SegmentHeard:
        """What of it was heard when the first `samples` were played."""
        audible = max(0, min(samples, self.silenced_at, self.total))
        return SegmentHeard(
            segment=self.index,
            chars=self._timeline.chars_at(audible) if audible else 0,
            samples=audible,
            total_samples=self.total,
        )

    def words_between(self, a: int, b: int) -> list[tuple[int, int, int]]:
        """Words that start at `a` to `b`: `(at, start, end)`; each once."""
        return self._timeline.words_between(a, b)

    def shapes_between(self, a: int, b: int) -> list[tuple[int, VisemeName]]:
        """Mouth shapes that start at `a` to `b`."""
        return [(at, shape) for at, shape in self._shapes if a <= at < b]

    def shape_at(self, at: int) -> VisemeName:
        """The mouth shape that holds at `at`."""
        index = bisect_right(self._shapes, at, key=lambda shape: shape[0])
        return self._shapes[index - 1][1] if index else "sil"

    def _push(self, samples: Samples) -> None:
        if len(samples):
            self._chunks.append(samples)
            self.total += len(samples)
            self._timeline.grow(len(samples))

    def _complete_if_all_came(self) -> None:
        end = self._announced
        if end is None or self._received + _SLACK_S * end.rate_hz < end.samples or self.complete:
            return
        if self._mixer is not None:
            self._push(self._mixer.finish())
        self.complete = True
        self._timeline.close(self.total)
