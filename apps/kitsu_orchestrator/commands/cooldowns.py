"""How often a command may be used."""

import time
from collections import OrderedDict
from collections.abc import Callable

from kitsu.protocol import Author
from kitsu_orchestrator.commands.table import Rule, has_role
from kitsu_orchestrator.crowd import AuthorKey, author_key

REMEMBERED_USES = 5000


class Cooldowns:
    """When each command was used last, by anybody and by whom."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[str, float] = {}
        self._last_by: OrderedDict[tuple[str, AuthorKey], float] = OrderedDict()

    def left_s(self, name: str, rule: Rule, author: Author) -> float:
        """How long somebody must wait yet."""
        if has_role(author, rule.exempt):
            return 0.0
        now, never = self._clock(), float("-inf")
        for_all = self._last.get(name, never) + rule.cooldown_s - now
        for_one = self._last_by.get((name, author_key(author)), never) + rule.user_cooldown_s - now
        return max(0.0, for_all, for_one)

    def used(self, name: str, rule: Rule, author: Author) -> None:
        """Somebody uses it now. Those who are exempt do not keep others waiting."""
        if has_role(author, rule.exempt):
            return
        now = self._clock()
        self._last[name] = now
        if rule.user_cooldown_s:
            self._last_by[name, author_key(author)] = now
            self._last_by.move_to_end((name, author_key(author)))
            if len(self._last_by) > REMEMBERED_USES:
                self._last_by.popitem(last=False)
