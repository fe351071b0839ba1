"""What each author wrote just before, against words and orders that are split over several messages."""

from collections import OrderedDict
from collections.abc import Callable

WITHIN_S = 120.0
MAX_AUTHORS = 500
MAX_CODE_POINTS = 200
LETTERS_AT_ONCE = 2
"""A message of so few code points may be a piece of a word; talk between the pieces hides nothing."""


class Recent:
    """The last words of the last authors."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock  # seconds
        self._said: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._letters: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def before(self, author: str) -> str:
        """The end of what this author wrote in the last two minutes."""
        return self._fresh(self._said, author)

    def letters(self, author: str) -> str:
        """This author's shortest messages of late, put together, with what else stood between them left out."""
        return self._fresh(self._letters, author)

    def add(self, author: str, line: str) -> None:
        """One more message."""
        self._append(self._said, author, f"{self.before(author)} {line}".strip())
        if len(line) <= LETTERS_AT_ONCE:
            self._append(self._letters, author, self.letters(author) + line)

    def forget(self, author: str) -> None:
        """Begin anew with this author."""
        self._said.pop(author, None)
        self._letters.pop(author, None)

    def _fresh(self, kept: OrderedDict[str, tuple[float, str]], author: str) -> str:
        at, text = kept.get(author, (0.0, ""))
        return text if self._clock() - at <= WITHIN_S else ""

    def _append(self, kept: OrderedDict[str, tuple[float, str]], author: str, text: str) -> None:
        kept[author] = (self._clock(), text[-MAX_CODE_POINTS:])
        kept.move_to_end(author)
        if len(kept) > MAX_AUTHORS:
            kept.popitem(last=False)
