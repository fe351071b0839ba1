"""Repeated recognition of a growing utterance: what two results in a row agree on is stable.

After "local agreement" (Liu et al. 2020, Low-Latency Sequence-to-Sequence Speech Recognition; Macháček et al. 2023,
Turning Whisper into Real-Time Transcription System).
"""

import re

TAIL = 2  # the last words are cut off in the middle, and change most


class Agreement:
    """One utterance."""

    def __init__(self) -> None:
        self.revision = 0
        self._before: list[str] = []
        self._stable: list[str] = []

    @property
    def stable(self) -> str:
        """The words that are never retracted."""
        return " ".join(self._stable)

    def add(self, text: str, *, whole: bool = False) -> tuple[str, int]:
        """A new result; `whole`: no more sound follows for now, so its end is as good as its beginning.

        Returns the text to show, which begins with all that was stable before, and how many code points are stable now.
        """
        words = text.split()
        agreed = _common(self._before, words)
        if not whole:
            agreed = min(agreed, max(0, len(words) - TAIL))
        self._before = words
        if _common(self._stable, words) == len(self._stable):
            self._stable += words[len(self._stable) : agreed]
        self.revision += 1
        shown = self.keep(text)
        return shown, len(self.stable)

    def keep(self, text: str) -> str:
        """The text, with what was promised at its beginning."""
        return " ".join([*self._stable, *text.split()[len(self._stable) :]])


def _common(one: list[str], other: list[str]) -> int:
    """How many words they begin with alike, but for case and marks."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if _bare(a) != _bare(b):
            break
        count += 1
    return count


def _bare(word: str) -> str:
    return re.sub(r"[^\w']", "", word.casefold())
