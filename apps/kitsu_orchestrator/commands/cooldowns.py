"""How often a command may be used."""

import time
from collections import OrderedDict
from collections.abc import Callable

from kitsu.protocol import Author
from kitsu_orchestrator.commands.table import Rule, has_role
from kitsu_orchestrator.crowd import AuthorKey, author_key

REMEMBERED_USES = 5000
REFUSALS_EVERY_S = 5.0  # refusals that are said aloud in chat, all together
SAME_PERSON_S = 60.0  # whoever types commands in vain again and again is told once in that time


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


class Refusals:
    """Which refusals are said aloud: now and then only, so that nobody makes her an echo."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = float("-inf")
        self._last_by: OrderedDict[AuthorKey, float] = OrderedDict()

    def aloud(self, author: Author) -> bool:
        """Whether somebody is told; counts as told then."""
        now, who = self._clock(), author_key(author)
        if now < self._last + REFUSALS_EVERY_S or now < self._last_by.get(who, float("-inf")) + SAME_PERSON_S:
            return False
        self._last = self._last_by[who] = now
        self._last_by.move_to_end(who)
        if len(self._last_by) > REMEMBERED_USES:
            self._last_by.popitem(last=False)
        return True
