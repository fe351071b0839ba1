"""Cuts cleaned text where a speaker would breathe."""

import re
from dataclasses import dataclass
from typing import Literal

from kitsu.speech.marks import CLOSERS, MARKS, Pause, is_mark, is_spoken, joins, pause_after
from kitsu.speech.tags import Tag
from kitsu.speech.timing import spoken_ms
from kitsu.speech.wordlists import CLINGS_TO, CONJUNCTIONS, PREPOSITIONS, QUESTION_WORDS

Cuts = Literal["natural", "eager"]

HUNGRY_MS = 500.0  # less sound than this is left to play: cut as soon as the mode allows
LOW_MS = 1200.0  # less than this: a comma will do
MAX_CHARS = 200  # of a segment
EAGER_WORDS = 4
BREATH_WORDS = 5  # before a conjunction or preposition

_PIECE = re.compile(
    rf"\s+|[{re.escape(MARKS)}]|[{re.escape(CLOSERS)}]+|[^\s{re.escape(MARKS + CLOSERS)}]{{1,{MAX_CHARS}}}"
)
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_LEADING = "!?.,;:…)”’»、。！？，；："


@dataclass(frozen=True, slots=True)
class RawSegment:
    """One piece to be said, and how. Not fit for anyone before the gate."""

    text: str
    expression: str = ""
    action: str = ""
    intensity: float = 1.0  # 0..1


class Segmenter:
    """Collects words, cuts them into segments.

    How early it cuts depends on how much sound is left to play (`buffered_ms`, set by the caller, raised by each cut).
    Never inside numbers, abbreviations or addresses; never after a single word but at the answer's end, and in eager
    mode after an interjection ("Okay,") when there is nothing else to play.
    """

    def __init__(self, cuts: Cuts) -> None:
        self._eager = cuts == "eager"
        self._words: list[str] = []  # finished; each with the space before it
        self._count = 0  # of words that are spoken
        self._chars = 0
        self._breath = 0  # index in `_words` after the last comma
        self._word = ""  # not finished
        self._space = ""  # before `_word`
        self.buffered_ms = 0.0  # sound that is ordered and not yet heard
        self._expression: Tag | None = None
        self._action: Tag | None = None
        self._out: list[RawSegment] = []

    def feed(self, text: str) -> None:
        """More text."""
        for piece in _PIECE.findall(text):
            if piece[0].isspace():
                self._end_word(piece)
            else:
                self._grow_word(piece)

    def direct(self, tag: Tag) -> None:
        """A stage direction, for the words that follow."""
        taken = self._expression if tag.kind == "expression" else self._action
        if taken and self._count > 1:
            self._cut()
        if tag.kind == "expression":
            self._expression = tag
        else:
            self._action = tag

    def settle(self) -> None:
        """No more text for now: cut at once where the last token already allows it."""
        if not self._word or not self._hungry:
            return
        pause = pause_after(self._word, "")
        if pause >= Pause.BREATH and self._count + 1 >= self._wanted(pause):
            self._close_word(pause)
        elif self._breathes_before(self._word, sure=False):
            self._cut()

    def finish(self) -> None:
        """The answer is over."""
        self._close_word(Pause.NONE)
        self._cut()

    def take(self) -> list[RawSegment]:
        """The segments cut since the last call."""
        out, self._out = self._out, []
        return out

    @property
    def _hungry(self) -> bool:
        return self.buffered_ms < HUNGRY_MS

    def _grow_word(self, piece: str) -> None:
        if self._word:
            pause = pause_after(self._word, piece[0])
            if pause >= Pause.BREATH or len(self._word) + len(piece) > MAX_CHARS:
                self._close_word(pause)
        self._word += piece

    def _end_word(self, space: str) -> None:
        if self._word:
            word, pause = self._word, pause_after(self._word, " ")
            if self._breathes_before(word, sure=True):
                self._cut()
            self._close_word(pause)
            if self._eager and self._hungry and self._count >= EAGER_WORDS and word[-1] != ".":
                self._cut()  # but not after an abbreviation: a full stop that ends a sentence has cut already
        self._space = " "
        if "\n" in space:
            self._cut_after(Pause.END)

    def _breathes_before(self, word: str, *, sure: bool) -> bool:
        """Whether a speaker would breathe before `word`. `sure`: it is complete and something follows it."""
        if self._eager or not self._hungry or self._count < BREATH_WORDS or not self._space:
            return False
        word = word.lower()
        if word in CONJUNCTIONS:
            return True
        if word == "to" and self._words[-1].strip().lower() in CLINGS_TO:
            return False
        asking = self._words[0].strip(_LEADING + " \"'“‘").lower() in QUESTION_WORDS
        return word in PREPOSITIONS and (sure or not asking)

    def _close_word(self, pause: Pause) -> None:
        """`_word` is complete; cut after it if that is the place."""
        word, space = self._word, self._space
        self._word = self._space = ""
        spoken = is_spoken(word)
        if not self._words:
            word = word.lstrip(_LEADING)
        if not spoken and not (self._count and joins(word)):
            self._space = space
            self._attach(word)
            return
        if self._chars + len(word) >= MAX_CHARS:
            self._cut_long()
        self._words.append(space + word if self._words else word)
        self._chars += len(space) + len(word)
        self._count += max(1, len(_WIDE.findall(word)) // 2) if spoken else 0
        self._pause(pause)

    def _attach(self, word: str) -> None:
        """Punctuation that lost its word belongs to the one before."""
        if self._count and word and is_mark(word) and self._chars + len(word) < MAX_CHARS:
            self._words[-1] += word
            self._chars += len(word)
            self._pause(pause_after(self._words[-1].strip(), " "))

    def _pause(self, pause: Pause) -> None:
        if pause == Pause.BREATH:
            self._breath = len(self._words)
        self._cut_after(pause)

    def _cut_after(self, pause: Pause) -> None:
        if self._count >= self._wanted(pause):
            self._cut()

    def _wanted(self, pause: Pause) -> float:
        """How many words a segment needs to be cut at such a pause."""
        if pause < Pause.BREATH:
            return float("inf")
        if self._hungry:
            return 1 if self._eager else 2
        if pause == Pause.END:
            return 2
        return 3 if self.buffered_ms < LOW_MS else float("inf")

    def _cut_long(self) -> None:
        """The next word does not fit: cut at the last comma, or here."""
        rest = self._words[self._breath :] if self._breath > 1 else []
        if rest:
            del self._words[self._breath :]
        self._cut()
        for word in rest:
            self._words.append(word if self._words else word.lstrip())
            self._chars += len(self._words[-1])
            self._count += is_spoken(word)

    def _cut(self) -> None:
        """Everything that is complete becomes a segment."""
        text = "".join(self._words).strip()
        self._words.clear()
        self._count = self._chars = self._breath = 0
        if not text:
            return
        self.buffered_ms += spoken_ms(text)
        marks = [tag for tag in (self._expression, self._action) if tag]
        self._out.append(
            RawSegment(
                text,
                expression=self._expression.name if self._expression else "",
                action=self._action.name if self._action else "",
                intensity=marks[-1].intensity if marks else 1.0,
            )
        )
        self._expression = self._action = None
