"""Which words of a segment have been heard."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from typing import NamedTuple

from kitsu.protocol import STREAM_RATE_HZ, WordMark

MS_PER_CHAR = 65.0
"""How long an unhurried English voice takes for a character: about 15 characters a second."""

_WORD = re.compile(r"\S+")


class _Word(NamedTuple):
    at: int  # sample at STREAM_RATE_HZ
    start: int
    end: int


def spoken_ms(text: str) -> float:
    """About how long `text` will sound, ms. For sound that is ordered but has not come yet."""
    return len(text) * MS_PER_CHAR


def heard_text(parts: Iterable[tuple[str, int]]) -> str:
    """What was heard of a turn.

    Args:
        parts: each segment's text with the number of its code points that were heard, in order of playing.
    """
    return " ".join(filter(None, (text[: max(0, chars)].strip() for text, chars in parts)))


class WordTimeline:
    """Where the words of one segment lie in its sound.

    Marks of the voice are used when it sends any; otherwise the sound is shared out by characters, over its length if
    that is known, else over the usual length of such a text. All positions are samples at STREAM_RATE_HZ (48 kHz),
    counted from the segment's start.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._marks: list[_Word] = []
        self._came = 0
        self._total: int | None = None
        self._given = 0  # words that `words_between` handed out

    def add(self, words: Iterable[WordMark], rate_hz: int) -> None:
        """Note marks of the voice, in order.

        Args:
            words: marks with positions at `rate_hz`; those that point outside the text are bent in.
            rate_hz: of the voice.
        """
        for word in words:
            earliest = self._marks[-1] if self._marks else _Word(0, 0, 0)
            start = min(max(word.start, earliest.end), len(self._text))
            end = _past_marks(self._text, min(max(word.end, start), len(self._text)))
            if end > start:
                at = max(round(word.at * STREAM_RATE_HZ / rate_hz), earliest.at)
                self._marks.append(_Word(at, start, end))

    def grow(self, samples48: int) -> None:
        """`samples48` more samples of the segment have come."""
        self._came += samples48

    def close(self, total48: int) -> None:
        """The segment is complete: it has `total48` samples in all."""
        self._total = total48

    def chars_at(self, sample48: int) -> int:
        """Code points of the text up to the end of the last word that was begun and at least half heard."""
        if self._total is not None and sample48 >= self._total > 0:
            return len(self._text)
        words = self._words()
        begun = bisect_left(words, sample48, key=lambda word: word.at)
        if not begun:
            return 0
        last = words[begun - 1]
        half = (last.at + self._end_of(words, begun - 1)) / 2
        if sample48 >= half:
            return last.end
        return words[begun - 2].end if begun > 1 else 0

    def words_between(self, a: int, b: int) -> list[tuple[int, int, int]]:
        """Words that start at samples `a` to `b` (exclusive): `(at, start, end)`.

        Each word is given out once, in order; a mark that came too late for its own place counts from `a`.
        """
        found = []
        for at, start, end in self._words()[self._given :]:
            if at >= b:
                break
            found.append((max(at, a), start, end))
        self._given += len(found)
        return found

    def _words(self) -> list[_Word]:
        return self._marks or self._shared_out()

    def _shared_out(self) -> list[_Word]:
        per_char = self._length() / max(1, len(self._text))
        return [_Word(round(m.start() * per_char), m.start(), m.end()) for m in _WORD.finditer(self._text)]

    def _length(self) -> float:
        if self._total is not None:
            return self._total
        return max(self._came, spoken_ms(self._text) * STREAM_RATE_HZ / 1000)

    def _end_of(self, words: list[_Word], index: int) -> float:
        if index + 1 < len(words):
            return words[index + 1].at
        if self._total is not None:
            return self._total
        _at, start, end = words[index]
        return words[index].at + spoken_ms(self._text[start:end]) * STREAM_RATE_HZ / 1000


def _past_marks(text: str, end: int) -> int:
    """The end of a word with the marks behind it: voices leave them out, readers want them with their word."""
    while end < len(text) and not (text[end].isalnum() or text[end].isspace()):
        end += 1
    return end
