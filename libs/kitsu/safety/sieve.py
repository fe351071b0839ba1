"""Many RE2 patterns read in one pass."""

from collections.abc import Iterable

import re2

_MEMORY = 256 << 20  # bytes at most, for the automaton's states; it grows as it meets new text


class Sieve:
    """Says which of its patterns occur in a text, in linear time.

    RE2 answers "none" when it runs out of memory. A pattern that occurs in every text goes with the others, so that
    such an answer is known for what it is.
    """

    def __init__(self, patterns: Iterable[str | bytes], *, latin1: bool = False) -> None:
        options = re2.Options()
        options.never_capture = True
        options.log_errors = False
        options.max_mem = _MEMORY
        if latin1:
            options.encoding = re2.Options.Encoding.LATIN1
        self._set = re2.Set.SearchSet(options)
        self._always = self._set.Add("")
        self._places = {self._set.Add(pattern): place for place, pattern in enumerate(patterns)}
        self._set.Compile()
        self.hits(b"")

    def hits(self, data: bytes) -> list[int]:
        """The places (in the order given) of the patterns that occur in `data`, UTF-8.

        Raises:
            MemoryError: the text could not be read to its end.
        """
        found = self._set.Match(data)
        if self._always not in found:
            raise MemoryError("the patterns do not fit into their memory")
        return sorted(self._places[index] for index in found if index != self._always)
