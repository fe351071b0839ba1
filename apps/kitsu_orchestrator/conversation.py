"""One conversation: its waiting lines, its running turn, its history."""

import asyncio
import time
from collections import deque

from kitsu.protocol import Line, Message, Outcome, Role, TurnQueued, TurnState
from kitsu_orchestrator.intake import Intake, Waiting
from kitsu_orchestrator.levels import Levels
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.store import Store
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.turn import Turn


class Conversation:
    """Answers its lines one after the other.

    While one answer is being played, the next line may already be thought about and voiced: that turn is speculative
    and stays silent until it is committed. A cut of the running turn throws it away, since its history would be wrong.
    """

    def __init__(self, name: str, studio: Studio, levels: Levels, intake: Intake, store: Store) -> None:
        self.name = name
        self.waiting = Waiting(intake.settings.max_waiting)
        self.current: Turn | None = None
        self.speculative: Turn | None = None
        self.last_used = time.monotonic()
        self.ended: deque[TurnState] = deque(maxlen=20)
        self._speculation: asyncio.Task[Story] | None = None
        self._studio = studio
        self._levels = levels
        self._intake = intake
        self._store = store
        self._history: deque[Line] = deque(maxlen=studio.turn.history_lines)

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return self.current is None and self.speculative is None and not len(self.waiting)

    def remember(self, user: str, heard: str) -> None:
        """Add one exchange to the history: only what was heard."""
        if heard:
            self._history.extend(_exchange(user, heard))

    def offer(self, job: Job) -> None:
        """Take a line in; whatever had to go for it ends as dropped."""
        self.last_used = time.monotonic()
        shed = self.waiting.put(job)
        if shed is not None:
            self.end(shed, "dropped", "queue_full")
        if shed is not job:
            self._studio.publish(TurnQueued(conv=self.name, turn_id=job.turn_id, waiting=len(self.waiting) - 1))

    def end(self, job: Job, outcome: Outcome, reason: str) -> None:
        """End a line that never became a turn."""
        self._intake.dropped[reason] += 1
        story = Story(turn_id=job.turn_id, conv=job.conv, kind=job.kind, accepted_at=job.accepted_at)
        story.outcome, story.reason = outcome, reason
        if job.must_survive:
            self._store.save(story)
        job.finish(story)

    def receive(self, message: Message, frame: str | bytes) -> None:
        """A worker's message for one of the turns; what belongs to a dropped run of a turn has an older `gen`."""
        for turn in (self.current, self.speculative):
            if turn is not None and turn.job.turn_id == message.turn_id and turn.gen == message.gen:
                turn.receive(message, frame)

    def peer_lost(self, role: Role) -> None:
        """A worker died."""
        for turn in (self.current, self.speculative):
            if turn is not None:
                turn.peer_lost(role)

    def interrupt(self, outcome: Outcome, reason: str) -> bool:
        """End the running turn now; the next line follows at once. False: nothing was running."""
        if self.current is None:
            return False
        gen = self._levels.bump(self.name)
        self.current.cancel(outcome, reason, gen)
        if self.speculative is not None:
            self.waiting.put_first(self.speculative.job)
            self._drop_speculation(outcome, reason, gen)
        return True

    def panic(self, gen: int) -> None:
        """End everything, waiting lines too."""
        if self.speculative is not None:
            self.end(self.speculative.job, "panic", "panic")
            self._drop_speculation("panic", "panic", gen)
        if self.current is not None:
            self.current.cancel("panic", "panic", gen)
        for job in self.waiting.clear():
            self.end(job, "panic", "panic")

    async def run(self) -> None:
        """Answer lines for ever."""
        while True:
            turn, task = await self._take()
            self.current = turn
            turn.commit()
            async with asyncio.TaskGroup() as group:
                preparing = group.create_task(self._prepare(turn))
                story = await task
                preparing.cancel()
            self.current = None
            if turn.started is not None:
                self.ended.append(turn.state())
            self.remember(story.text, story.heard_text)
            self._store.save(story)
            turn.job.finish(story)
            self.last_used = time.monotonic()

    async def _take(self) -> tuple[Turn, asyncio.Task[Story]]:
        """The next turn: the prepared one, unless the operator's words have come in since."""
        if self.speculative is not None and self._speculation is not None and not self.waiting.urgent:
            turn, task = self.speculative, self._speculation
            self.speculative = self._speculation = None
            return turn, task
        return self._start(await self._next_job())

    async def _prepare(self, turn: Turn) -> None:
        """Once `turn` has only to be played, think about the line after it."""
        await turn.voiced_all.wait()
        if self.speculative is None:
            job = await self._next_job()
            self.speculative, self._speculation = self._start(job, assumed=turn)

    async def _next_job(self) -> Job:
        while True:
            job = await self.waiting.next()
            if job.kind == "say" or job.age_s() <= self._intake.settings.stale_after_s:
                return job
            self.end(job, "expired", "stale")

    def _start(self, job: Job, assumed: Turn | None = None) -> tuple[Turn, asyncio.Task[Story]]:
        history = list(self._history)
        if assumed is not None:
            history += _exchange(assumed.story.text, assumed.story.full_text)
        turn = Turn(self._studio, job, self._levels.gen(self.name), history[-self._studio.turn.history_lines :])
        self._store.save(turn.story)
        return turn, asyncio.create_task(turn.run())

    def _drop_speculation(self, outcome: Outcome, reason: str, gen: int) -> None:
        assert self.speculative is not None
        self.speculative.cancel(outcome, reason, gen)
        self._intake.dropped["speculation"] += 1
        self.speculative = self._speculation = None


def _exchange(user: str, heard: str) -> list[Line]:
    return [Line(role="user", text=user), Line(role="assistant", text=heard)]
