"""One voice goes on where another one broke off, within one segment's stream."""

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from kitsu.protocol import STREAM_RATE_HZ
from kitsu.speech import WordTimeline
from kitsu_tts.voice import Chunk

if TYPE_CHECKING:
    from kitsu_tts.refit import Refit


class Handover:
    """What of a text was sent as sound, by whichever voice. The first one sets the stream's rate and level."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._samples = 0  # sent in all, at `_rate_hz`
        self._rate_hz = 0
        self._gain_db = 0.0
        self._before = 0  # samples of the voices before the one that speaks now
        self._offset = 0  # code points before what it was given
        self._timeline = WordTimeline(text)
        self._refit: Refit | None = None

    @property
    def sent_s(self) -> float:
        """Length of what was sent."""
        return self._samples / self._rate_hz if self._rate_hz else 0.0

    def rest(self) -> str:
        """What is left to say for the next voice: from the first word that has hardly begun to sound."""
        if self._samples:
            own = self._samples - self._before
            self._offset += self._timeline.chars_at(round(own * STREAM_RATE_HZ / self._rate_hz))
            self._before = self._samples
        rest = self._text[self._offset :]
        self._timeline = WordTimeline(rest)
        self._refit = None
        return rest

    def take(self, chunk: Chunk) -> Chunk:
        """The next chunk of the voice that speaks now, as it fits the stream: rate, level, places in sound and text."""
        if not self._rate_hz:
            self._rate_hz, self._gain_db = chunk.rate_hz, chunk.gain_db
        self._timeline.add(chunk.words, chunk.rate_hz)
        self._timeline.grow(round(len(chunk.pcm) // 2 * STREAM_RATE_HZ / chunk.rate_hz))
        if self._before or self._offset:
            chunk = self._fitted(chunk)
        self._samples += len(chunk.pcm) // 2
        return chunk

    def _fitted(self, chunk: Chunk) -> Chunk:
        if self._refit is None:
            from kitsu_tts.refit import Refit  # numpy and a resampler: only once a voice has failed

            self._refit = Refit(chunk.rate_hz, self._rate_hz, chunk.gain_db - self._gain_db)
        ratio = self._rate_hz / chunk.rate_hz

        def at(sample: int) -> int:
            return round(sample * ratio) + self._before

        return replace(
            chunk,
            pcm=self._refit.feed(chunk.pcm),
            rate_hz=self._rate_hz,
            gain_db=self._gain_db,
            visemes=tuple(msgspec.structs.replace(one, at=at(one.at)) for one in chunk.visemes),
            words=tuple(
                msgspec.structs.replace(one, at=at(one.at), start=one.start + self._offset, end=one.end + self._offset)
                for one in chunk.words
            ),
        )
