"""When chat is quiet she begins something herself; the first viewer who speaks ends it."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from kitsu.characters import quote_line
from kitsu.errors import GateError, KitsuError
from kitsu.protocol import STAGE, Author, new_turn_id
from kitsu.telemetry import log
from kitsu_orchestrator.config import DeadAirSettings
from kitsu_orchestrator.cue import Cue
from kitsu_orchestrator.lines import Job

if TYPE_CHECKING:
    from kitsu_orchestrator.show import Show

LOOK_EVERY_S = 0.5
REMEMBER_S = 12 * 3600.0  # nothing is begun twice within that time, restarts included
LOOK_AT_ROWS = 500
EARLIER_S = 300.0  # younger talk is not worth a look back
OURSELVES = Author(name="dead air", platform="own")

Topic = tuple[str, Cue]  # a name that is used once, and what she gets to say

_ASK = (
    "(Chat is quiet. Begin something yourself, in one to three short sentences, and give chat something to answer: {})"
)


class DeadAir:
    """Looks at the show twice a second; `now` is a steady clock (s)."""

    def __init__(self, show: "Show", settings: DeadAirSettings, now: Callable[[], float] = time.monotonic) -> None:
        self.title = ""  # of the stream, as far as a platform app has told
        self.game = ""
        self.begun = 0  # topics so far
        self._show = show
        self._settings = settings
        self._now = now
        self._quiet_since = now()
        self._last_at = -1e9  # when she began something
        self._unanswered = 0
        self._used: set[str] | None = None  # names; None: not read yet

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look()

    def heard(self) -> None:
        """Somebody wrote to the stage: whatever she began by herself makes room, at once or with the sentence's end."""
        self._quiet_since, self._unanswered = self._now(), 0
        conversation = self._show.conversations.get(STAGE)
        turn = conversation.current if conversation else None
        if conversation is None or turn is None or turn.job.kind != "topic":
            return
        if turn.unheard:
            conversation.interrupt("dropped", "yielded")
        else:
            turn.wind_down()

    async def look(self) -> None:
        """Begin something, if it is time."""
        now = self._now()
        if not self._may_speak():
            self._quiet_since = now
            return
        if now - self._quiet_since < self._settings.quiet_s or now < self._last_at + self._pause_s():
            return
        topic = await self._choose()
        if topic is not None and self._may_speak():  # choosing took a moment
            self._begin(*topic)

    def _may_speak(self) -> bool:
        show = self._show
        levels, stage = show.levels.now, show.conversations.get(STAGE)
        on_air = levels.mode == "live" and levels.topics and levels.panic is None and not levels.muted
        return on_air and stage is not None and stage.idle and stage.floor.free.is_set()

    def _pause_s(self) -> float:
        """Between two; twice as long after each further one that nobody answered: nobody is there."""
        doubled = min(max(0, self._unanswered - 1), 16)
        return min(self._settings.every_s * 2.0**doubled, self._settings.longest_s)

    def _begin(self, name: str, cue: Cue) -> None:
        assert self._used is not None
        self._used.add(name)
        self._unanswered += 1
        self.begun += 1
        self._quiet_since = self._last_at = self._now()
        log.info("dead_air.begun", unanswered=self._unanswered)
        self._show.offer(Job(text=name, author=OURSELVES, kind="topic", cue=cue))

    async def _choose(self) -> Topic | None:
        """The first that was not used: the stream's game and title, then her own topics and earlier talk in turns."""
        try:
            rows = await self._show.store.latest(STAGE, LOOK_AT_ROWS)
        except KitsuError:
            rows = []
        used = self._used = (self._used or set()) | set(_begun_before(rows))
        if not self._show.studio.improvises:
            return next((topic for topic in self._own() if topic[0] not in used), None)
        if (topic := await self._stream(used)) is not None:
            return topic
        own, earlier = ([topic for topic in found if topic[0] not in used] for found in (self._own(), _earlier(rows)))
        first, second = (earlier, own) if self.begun % 3 == 2 else (own, earlier)
        return next(iter(first), None) or next(iter(second), None)

    def _own(self) -> Iterator[Topic]:
        for topic in self._show.studio.character.topics:
            yield f"own: {topic.about}", Cue(_ASK.format(topic.about), topic.line)

    async def _stream(self, used: set[str]) -> Topic | None:
        """What the stream is called is written by people: it passes the gate, and the model gets it as data."""
        for kind, text in (("game", self.game), ("title", self.title)):
            name = f"{kind}: {text}"
            if not text or name in used:
                continue
            used.add(name)  # whatever comes of it
            try:
                verdict = await self._show.studio.verdict(
                    self._show.studio.gate.judge_input(text, author="stream", turn_id=new_turn_id())
                )
            except GateError:
                continue
            if verdict.question and verdict.text:
                about = f"the stream's {kind} is {quote_line('broadcaster', 'stream', verdict.text)}"
                return name, Cue(_ASK.format(about))
        return None


def _begun_before(rows: list[dict[str, Any]]) -> Iterator[str]:
    since = (time.time() - REMEMBER_S) * 1e6
    return (row["text"] for row in rows if row["kind"] == "topic" and row["accepted_at"] >= since)


def _earlier(rows: list[dict[str, Any]]) -> Iterator[Topic]:
    """Talk that the gate let through and that was heard, oldest of the last hours first."""
    now_us = time.time() * 1e6
    for row in reversed(rows):
        age_s = (now_us - row["accepted_at"]) / 1e6
        if row["kind"] != "chat" or row["outcome"] != "spoken" or not row["text"] or not row["heard"]:
            continue
        if EARLIER_S <= age_s <= REMEMBER_S:
            line = quote_line(row["author_role"], row["author"] or "someone", row["text"])
            yield f"earlier: {row['turn_id']}", Cue(_ASK.format(f"come back to what somebody wrote earlier, {line}"))
