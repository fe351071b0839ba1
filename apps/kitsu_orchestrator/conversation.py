"""One conversation: its waiting lines, its running turn, its history."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from kitsu.protocol import STAGE, Line, Message, Outcome, Role, StreamNotice, TurnEnded, TurnQueued, TurnState
from kitsu_orchestrator.crowd import AuthorKey, Crowd, author_key
from kitsu_orchestrator.intake import Intake, Waiting, rank_of
from kitsu_orchestrator.levels import Levels
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.store import Store
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.turn import Turn


class Conversation:
    """Answers its lines one after the other.

    While one answer is being played, the next line may already be thought about and voiced: that turn is speculative
    and stays silent and unseen until it is committed. It assumes that the running answer will be heard to its end; when
    that turns out wrong, or the operator's own words come first, it is thrown away and its line waits again.
    """

    def __init__(self, name: str, studio: Studio, levels: Levels, intake: Intake, store: Store) -> None:
        self.name = name
        self.waiting = Waiting(intake.settings.max_waiting)
        self.crowd = Crowd(intake.settings, intake.count)
        self.on_end: Callable[[Job, Story], None] = lambda job, story: None
        self.current: Turn | None = None
        self.speculative: Turn | None = None
        self.last_used = time.monotonic()
        self.ended: deque[TurnState] = deque(maxlen=20)
        self._speculation: asyncio.Task[Story] | None = None
        self._discarded: set[asyncio.Task[Story]] = set()
        self._studio = studio
        self._levels = levels
        self._intake = intake
        self._store = store
        self._history: deque[tuple[AuthorKey, Line]] = deque(maxlen=studio.turn.history_lines)

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits."""
        return self.current is None and self.speculative is None and not self.backlog

    @property
    def backlog(self) -> int:
        """How many lines wait."""
        return len(self.waiting) + len(self.crowd)

    def remember(self, prompt: str, heard: str, author: AuthorKey = ("", "")) -> None:
        """Add one exchange to the history: only what was heard."""
        self._history.extend((author, line) for line in _exchange(prompt, heard))

    def offer(self, job: Job, *, now: bool = False) -> None:
        """Take a line in; whatever had to go for it ends as dropped. `now`: it cuts what she is saying."""
        self.last_used = time.monotonic()
        shed = None
        if now:
            self.interrupt("interrupted", "replaced")
            self.waiting.put_first(job)
        else:
            shed = self.waiting.put(job)
        if shed is not job:
            self._studio.publish(TurnQueued(conv=self.name, turn_id=job.turn_id, waiting=len(self.waiting) - 1))
        if shed is not None:
            self.end(shed, "dropped", "queue_full")
            if shed.paid:
                text = "So many paid lines wait that the oldest one will not be answered. It is in the list of turns."
                self._studio.publish(StreamNotice(level="warn", code="paid_line_dropped", message=text))

    def woken(self) -> None:
        """The crowd has a line."""
        self.last_used = time.monotonic()
        self.waiting.wake.set()

    def remove(self, gone: Callable[[Job], bool]) -> int:
        """The platform took lines back: none of them may sound, nor stay in what she remembers. Returns how many."""
        if self.speculative is not None and gone(self.speculative.job):
            self._think_again(self._levels.gen(self.name))
        jobs = self.waiting.remove(gone)
        for job in jobs:
            self.end(job, "dropped", "removed")
        running = self.current is not None and gone(self.current.job) and self.interrupt("interrupted", "removed")
        return len(jobs) + running

    def forget(self, author: AuthorKey) -> None:
        """What somebody said is not hers to remember any more."""
        self._history = deque((pair for pair in self._history if pair[0] != author), maxlen=self._history.maxlen)

    def clear(self) -> int:
        """End all waiting lines; returns how many there were."""
        self._think_again(self._levels.gen(self.name))
        jobs = self.waiting.clear()
        for job in jobs:
            self.end(job, "dropped", "cleared")
        crowd = self.crowd.clear()
        if crowd:
            self._intake.count("cleared", crowd)
        return len(jobs) + crowd

    def end(self, job: Job, outcome: Outcome, reason: str) -> None:
        """End a line that never became a turn."""
        story = job.story()
        story.outcome, story.reason = outcome, reason
        self._intake.drop(story)
        if job.must_survive:
            self._store.save(story)
        self._studio.publish(TurnEnded(conv=self.name, turn_id=job.turn_id, outcome=outcome, reason=reason))
        job.finish(story)
        self.on_end(job, story)

    def receive(self, message: Message, frame: str | bytes) -> None:
        """A worker's message for one of the turns; what belongs to a dropped run of a turn has an older `gen`."""
        for turn in (self.current, self.speculative):
            if turn is not None and turn.job.turn_id == message.turn_id and turn.gen == message.gen:
                turn.receive(message, frame)

    def peer_lost(self, role: Role) -> None:
        """A worker died."""
        if role == "playout":
            if self.current is not None and self.current.clock_lost():
                self.interrupt("failed", "playout_lost")
            return
        for turn in (self.current, self.speculative):
            if turn is not None:
                turn.peer_lost(role)

    def interrupt(self, outcome: Outcome, reason: str) -> bool:
        """End the running turn now; the next line follows at once. False: nothing was running."""
        if self.current is None:
            return False
        gen = self._levels.bump(self.name)
        self.current.cancel(outcome, reason, gen)
        self._think_again(gen)
        return True

    def end_all(self, outcome: Outcome, reason: str, gen: int) -> None:
        """End everything, waiting lines too. `gen`: the new generation."""
        if self.current is not None:
            self.current.cancel(outcome, reason, gen)
        self._think_again(gen)
        for job in self.waiting.clear():
            self.end(job, outcome, reason)
        if crowd := self.crowd.clear():
            self._intake.count(reason, crowd)

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
            self._close(turn, story)

    def _close(self, turn: Turn, story: Story) -> None:
        self.current = None
        self.last_used = time.monotonic()
        if turn.started is not None:
            self.ended.append(turn.state())
        if story.reason != "removed":
            self.remember(turn.prompt, story.heard_text, author_key(turn.job.author))
        if self.name == STAGE and story.outcome == "spoken" and turn.prompt:
            self._studio.length.spoken(story.times.first_audio_ms)
        if story.heard_text != story.full_text:
            self._think_again()
        self._store.save(story)
        turn.job.finish(story)
        self.on_end(turn.job, story)

    async def _take(self) -> tuple[Turn, asyncio.Task[Story]]:
        """The next turn: the prepared one, unless the operator's words have come in since."""
        if self.speculative is not None and self.waiting.urgent and rank_of(self.speculative.job):
            self._think_again()
        if self.speculative is not None and self._speculation is not None:
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
            job = self._best()
            if job is None:
                self.waiting.wake.clear()
                await self.waiting.wake.wait()
                continue
            if job.kind == "say" or job.paid or job.age_s() <= self._intake.settings.stale_after_s:
                return job
            self.end(job, "expired", "stale")

    def _best(self) -> Job | None:
        """The operator's and paid lines first; then whichever waited longer, here or in the crowd."""
        ours = len(self.waiting) and (self.waiting.valued or self.waiting.oldest <= self.crowd.oldest)
        return self.waiting.take() if ours else self.crowd.take()

    def _start(self, job: Job, assumed: Turn | None = None) -> tuple[Turn, asyncio.Task[Story]]:
        history = deque((line for _, line in self._history), maxlen=self._history.maxlen)
        if assumed is not None:
            history.extend(_exchange(assumed.prompt, assumed.story.full_text))
        turn = Turn(self._studio, job, self._levels.gen(self.name), tuple(history), self.interrupt)
        self._store.save(turn.story)
        return turn, asyncio.create_task(turn.run())

    def _think_again(self, gen: int | None = None) -> None:
        """Throw the speculative turn away, its line waits again.

        `gen`: the new generation, begun here if need be; while another turn sounds that goes on, its own generation: a
        new one would make stale what the clock says of it.
        """
        if self.speculative is None or self._speculation is None:
            return
        self.speculative.discard(self._levels.bump(self.name) if gen is None else gen)
        self.waiting.put_back(self.speculative.job)
        self._discarded.add(self._speculation)
        self._speculation.add_done_callback(self._discarded.discard)
        self.speculative = self._speculation = None


def _exchange(prompt: str, heard: str) -> list[Line]:
    lines = [Line(role="user", text=prompt)] if prompt else []
    return [*lines, Line(role="assistant", text=heard)] if heard else []
