"""What each author wrote just before, against words and orders that are split over several messages."""

from collections import OrderedDict
from collections.abc import Callable

WITHIN_S = 120.0
MAX_AUTHORS = 500
MAX_CODE_POINTS = 200


class Recent:
    """The last words of the last authors."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock  # seconds
        self._said: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def before(self, author: str) -> str:
        """The end of what this author wrote in the last two minutes."""
        at, said = self._said.get(author, (0.0, ""))
        return said if self._clock() - at <= WITHIN_S else ""

    def add(self, author: str, line: str) -> None:
        """One more message."""
        said = f"{self.before(author)} {line}".strip()[-MAX_CODE_POINTS:]
        self._said[author] = (self._clock(), said)
        self._said.move_to_end(author)
        if len(self._said) > MAX_AUTHORS:
            self._said.popitem(last=False)

    def forget(self, author: str) -> None:
        """Begin anew with this author."""
        self._said.pop(author, None)
