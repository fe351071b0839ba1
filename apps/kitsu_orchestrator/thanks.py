"""Thanks for raids, subs, gifts, cheers: in character, and as one when many come together."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from kitsu.characters import quote_line
from kitsu.characters.character import filled
from kitsu.errors import GateError
from kitsu.protocol import STAGE, Author, ChatEvent, new_turn_id
from kitsu.telemetry import log
from kitsu_orchestrator.config import DeadAirSettings
from kitsu_orchestrator.crowd import AuthorKey, author_key
from kitsu_orchestrator.cue import Cue
from kitsu_orchestrator.lines import Job

if TYPE_CHECKING:
    from kitsu_orchestrator.show import Show

Kind = Literal["raid", "sub", "resub", "gift", "cheer", "follow", "reward"]

LOOK_EVERY_S = 0.25
MAX_WAITING = 500  # people; of more the oldest are thanked without a name
MAX_NAMED = 5
LONGEST_WAIT_S = 60.0  # while others are being answered
OURSELVES = Author(name="thanks", role="vip", platform="own")  # before the viewers' lines, after the operator's
NOBODY = "someone"
IN_CRISIS = (
    "Somebody in the chat may be in a bad place (what they wrote with a sub, cheer or reward); please have a look"
)

_DID: dict[Kind, str] = {
    "raid": "came over with {amount} viewers (a raid)",
    "sub": "subscribed",
    "resub": "subscribed again, for {amount} months now",
    "gift": "gave {amount} subscriptions to others",
    "cheer": "cheered with {amount} bits",
    "follow": "follows the channel now",
    "reward": "spent channel points",
}
_ASK = "(Thank them warmly in one or two short sentences, by name, the way you are. What they did: {})"


@dataclass(frozen=True, slots=True)
class Stimulus:
    """Something that somebody did for the show, whatever the platform."""

    kind: Kind
    author: str = ""  # as it is shown; empty: anonymous
    amount: int = 1  # raid: viewers, resub: months, gift: subscriptions, cheer: bits
    text: str = ""  # what they wrote with it, or the reward's name
    who: AuthorKey | None = None  # whom the platform may ban meanwhile


def stimulus(event: ChatEvent) -> Stimulus:
    """What a platform told of, as something to thank for."""
    text = f"{event.title}: {event.text}" if event.title and event.text else event.title or event.text
    if event.author is None:
        return Stimulus(event.kind, amount=event.count, text=text)
    return Stimulus(event.kind, event.author.name, event.count, text, author_key(event.author))


class Thanks:
    """Gathers for a moment, then offers one line for all; `now` is a steady clock (s)."""

    def __init__(self, show: "Show", settings: DeadAirSettings, now: Callable[[], float] = time.monotonic) -> None:
        self.given = 0  # people that were thanked
        self.unnamed = 0  # of them, those that came after `MAX_WAITING` others
        self._show = show
        self._settings = settings
        self._now = now
        self._waiting: dict[tuple[Kind, str], Stimulus] = {}
        self._extra = 0
        self._since = 0.0

    def add(self, stimulus: Stimulus) -> None:
        """Somebody is to be thanked. Off air nobody is: viewers would hear of things that happened to others."""
        if not self._settings.thanks or self._show.levels.now.mode != "live" or self._show.levels.now.panic is not None:
            return
        if not self._waiting:
            self._since = self._now()
        key = (stimulus.kind, stimulus.author)
        before = self._waiting.get(key)
        if before is None and len(self._waiting) >= MAX_WAITING:
            self._extra += 1
            self.unnamed += 1
        else:
            amount = max(1, stimulus.amount)
            total = before.amount + amount if before and stimulus.kind in ("gift", "cheer") else amount
            self._waiting[key] = replace(stimulus, amount=total)

    def forget(self, who: AuthorKey) -> None:
        """Somebody was banned meanwhile."""
        self._waiting = {key: one for key, one in self._waiting.items() if one.who != who}

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    async def look(self) -> None:
        """Thank everybody who waits, if it is time."""
        levels, stage = self._show.levels.now, self._show.conversations.get(STAGE)
        if levels.panic is not None:
            self._waiting.clear()
        if not self._waiting or stage is None:
            return
        waited_s = self._now() - self._since
        if waited_s < self._settings.gather_s or (not stage.idle and waited_s < LONGEST_WAIT_S):
            return
        people, extra = list(self._waiting.values()), self._extra
        self._waiting.clear()
        self._extra = 0
        cue = await self._cue(people, extra)
        self.given += len(people) + extra
        log.info("thanks.offered", people=len(people) + extra)
        name = f"thanks: {', '.join(sorted({one.kind for one in people}))}"
        self._show.offer(Job(text=name, author=OURSELVES, kind="thanks", cue=cue))

    async def _cue(self, people: list[Stimulus], extra: int) -> Cue:
        """Raids first, then what cost most. Names and texts that the gate does not let through are left out."""
        people = sorted(people, key=lambda one: (one.kind != "raid", one.kind == "follow", -one.amount))
        named, others = people[:MAX_NAMED], len(people) - MAX_NAMED + extra
        judged = [await self._judged(one) for one in named]
        rows = [quote_line("viewer", one.author or NOBODY, _did(one)) for one in judged]
        if others > 0:
            rows.append(f"and {others} others")
        return Cue(_ASK.format(" ".join(rows)), self._line(judged, max(0, others)))

    async def _judged(self, stimulus: Stimulus) -> Stimulus:
        studio = self._show.studio
        try:
            judging = studio.gate.judge_input(
                stimulus.text or stimulus.kind, author=stimulus.author, turn_id=new_turn_id()
            )
            verdict = await studio.verdict(judging)
        except GateError:
            return replace(stimulus, author="", text="")
        if verdict.why.crisis:
            self._show.notice("error", "viewer_in_crisis", IN_CRISIS)
        return replace(
            stimulus,
            author=verdict.author.text if verdict.author else "",
            text=verdict.text if verdict.question and stimulus.text else "",
        )

    def _line(self, people: list[Stimulus], others: int) -> str:
        """Her own written words, for the demo brain; empty when the character has none for this."""
        kind = people[0].kind if len(people) == 1 and not others else "many"
        lines = self._show.studio.character.thanks.get(kind, ())
        if not lines:
            return ""
        line = lines[self.given % len(lines)]
        return filled(line, name=people[0].author or NOBODY, amount=people[0].amount, names=_names(people, others))


def _did(stimulus: Stimulus) -> str:
    did = _DID[stimulus.kind].format(amount=stimulus.amount)
    return f"{did}: {stimulus.text}" if stimulus.text else did


def _names(people: list[Stimulus], others: int) -> str:
    """`Ann, Bob and Cem`; `Ann, Bob and 12 more`. Nobody twice."""
    names = list(dict.fromkeys(one.author or NOBODY for one in people))
    if others:
        names.append(f"{others} more")
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
