"""From phonemes with lengths to mouth shapes and word positions."""

import re
from dataclasses import dataclass, field

from kitsu.protocol import Viseme, VisemeName, WordMark
from kitsu.speech.visemes import viseme_of

_WORD = re.compile(r"\S*\w\S*")
_SILENT = frozenset("^$_ .,;:!?¡¿—–-…\"'()«»“”„")  # marks of the phonemiser, pauses, punctuation
_MODIFIERS = frozenset("ˈˌːˑ")


@dataclass(slots=True)
class Spoken:
    """One sentence: its sound (s16le mono) and how many samples each phoneme lasts; empty where a model can't tell."""

    pcm: bytes
    lengths: list[tuple[str, int]]
    shapes: list[tuple[int, VisemeName, str]] = field(default_factory=list)  # sample, shape, phoneme
    groups: list[int] = field(default_factory=list)  # samples where words begin to sound


class Marks:
    """Follows a text through its sentences."""

    def __init__(self, text: str) -> None:
        self._words = [(found.start(), found.end()) for found in _WORD.finditer(text)]
        self._given = 0  # words
        self._last: Spoken | None = None
        self._marks: list[WordMark] = []

    def between(
        self, sentence: Spoken, before: int, start: int, end: int
    ) -> tuple[tuple[Viseme, ...], tuple[WordMark, ...]]:
        """What begins at samples `start` to `end` (exclusive) of a sentence that has `before` samples ahead of it."""
        if sentence is not self._last:
            self._last = sentence
            _follow(sentence)
            self._marks = self._match(sentence, before)
        visemes = tuple(
            Viseme(at=before + at, viseme=shape, ipa=ipa) for at, shape, ipa in sentence.shapes if start <= at < end
        )
        return visemes, tuple(mark for mark in self._marks if start <= mark.at - before < end)

    def _match(self, sentence: Spoken, before: int) -> list[WordMark]:
        """One written word for each spoken one, while there are any. A phonemiser may join two; the next sentence
        then begins a word early, which is heard, but not seen in a caption."""
        words = self._words[self._given : self._given + len(sentence.groups)]
        self._given += len(words)
        return [
            WordMark(at=before + at, start=start, end=end)
            for at, (start, end) in zip(sentence.groups, words, strict=False)
        ]


def _follow(sentence: Spoken) -> None:
    total, at, mouth, between_words = len(sentence.pcm) // 2, 0, "", True
    for phoneme, samples in sentence.lengths:
        if phoneme in _MODIFIERS:
            at += samples  # of the same sound
            continue
        silent = phoneme in _SILENT
        shape: VisemeName = "sil" if silent else viseme_of(phoneme)
        if shape != mouth and at < total and (phoneme != " " or not mouth):
            sentence.shapes.append((at, shape, "" if silent else phoneme))
            mouth = shape
        if not silent and between_words:
            sentence.groups.append(min(at, max(0, total - 1)))
        between_words = phoneme == " " or (silent and between_words)
        at += samples
    if mouth not in ("sil", "") and total:
        sentence.shapes.append((total - 1, "sil", ""))
