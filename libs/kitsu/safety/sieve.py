"""Many RE2 patterns read in one pass."""

import time
from collections.abc import Iterable

import re2

_MEMORY = 16 << 20  # bytes at most, for each automaton's states; they grow as they meet new text, then begin anew
_MAX_PART = 40_000  # characters of patterns: more take more than some 10 ms to compile


class Sieve:
    """Says which of its patterns occur in a text, in linear time.

    RE2 answers "none" when it runs out of memory. A pattern that occurs in every text goes with the others, so that
    such an answer is known for what it is. `at_once`: characters of patterns in one automaton; where patterns have
    gaps, fewer at once meet fewer new states in each text.
    """

    def __init__(self, patterns: Iterable[str | bytes], *, latin1: bool = False, at_once: int = _MAX_PART) -> None:
        self._parts: list[_Part] = []
        size = at_once
        for place, pattern in enumerate(patterns):
            if size >= at_once:
                self._parts.append(_Part(latin1))
                size = 0
            self._parts[-1].add(pattern, place)
            size += len(pattern)
        for part in self._parts:
            part.compile()
            time.sleep(0)  # compiling holds the interpreter; others may run before the next part

    def hits(self, data: bytes) -> list[int]:
        """The places (in the order given) of the patterns that occur in `data`, UTF-8.

        Raises:
            MemoryError: the text could not be read to its end.
        """
        return [place for part in self._parts for place in part.hits(data)]


class _Part:
    """As many patterns as are compiled at once."""

    def __init__(self, latin1: bool) -> None:
        options = re2.Options()
        options.never_capture = True
        options.log_errors = False
        options.max_mem = _MEMORY
        if latin1:
            options.encoding = re2.Options.Encoding.LATIN1
        self._set = re2.Set.SearchSet(options)
        self._always = self._set.Add("")
        self._places: dict[int, int] = {}

    def add(self, pattern: str | bytes, place: int) -> None:
        self._places[self._set.Add(pattern)] = place

    def compile(self) -> None:
        self._set.Compile()
        self.hits(b"")

    def hits(self, data: bytes) -> list[int]:
        found = self._set.Match(data)
        if self._always not in found:
            raise MemoryError("the patterns do not fit into their memory")
        return sorted(self._places[index] for index in found if index != self._always)
