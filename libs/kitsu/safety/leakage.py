"""Whether she is reading out her own instructions."""

import re
from collections.abc import Iterable, Iterator

from kitsu.safety import views

_WORD = re.compile(r"[^\W_]+")


class PromptWatch:
    """Finds the run's canary, and so many consecutive words of the instructions, in what she would say.

    `parts` are pieces of the prompt, each with how many of its words in a row are a leak; what also stands in
    `speakable`, the lines that she is meant to say, is none.
    """

    def __init__(self, parts: Iterable[tuple[str, int]], canary: str, speakable: Iterable[str] = ()) -> None:
        self._canary = "".join(_words(canary))
        self._runs: dict[int, set[str]] = {}
        for text, count in parts:
            self._runs.setdefault(count, set()).update(_in_a_row(_words(text), count))
        for line in speakable:
            words = _words(line)
            for count, runs in self._runs.items():
                runs.difference_update(_in_a_row(words, count))

    def find(self, text: str) -> str:
        """The rule that it breaks; empty when it breaks none."""
        words = _words(text)
        if self._canary and self._canary in "".join(words):
            return "leakage/canary"
        for count, runs in self._runs.items():
            if not runs.isdisjoint(_in_a_row(words, count)):
                return "leakage/overlap"
        return ""


def _words(text: str) -> list[str]:
    return _WORD.findall(views.plain(text).text)


def _in_a_row(words: list[str], count: int) -> Iterator[str]:
    return (" ".join(words[at : at + count]) for at in range(len(words) - count + 1))
