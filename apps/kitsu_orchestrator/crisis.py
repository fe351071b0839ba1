"""Who was given the calm line lately: it helps once; said again and again, word for word, it mocks."""

import time
from collections import OrderedDict
from collections.abc import Callable

from kitsu.protocol import Author

REMEMBERED = 2000


class CrisisCare:
    """One calm line for each person in `every_s` seconds."""

    def __init__(self, every_s: float = 600.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._clock = clock
        self._given: OrderedDict[tuple[str, str], tuple[float, str]] = OrderedDict()  # author -> when (s), turn

    def give(self, author: Author, turn_id: str) -> bool:
        """Whether this person gets the line now. A turn that is thought about anew may have it again."""
        who = (author.platform, author.user_id or author.name.casefold())
        now = self._clock()
        at, by = self._given.get(who, (float("-inf"), ""))
        if by != turn_id and now - at < self._every_s:
            return False
        self._given[who] = (now, turn_id)
        self._given.move_to_end(who)
        if len(self._given) > REMEMBERED:
            self._given.popitem(last=False)
        return True

    def take_back(self, turn_id: str) -> None:
        """The turn that was to say it never was."""
        for who, (_, by) in self._given.items():
            if by == turn_id:
                del self._given[who]
                return
