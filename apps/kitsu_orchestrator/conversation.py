"""One conversation: its waiting lines, its running turn, its history."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from kitsu.protocol import STAGE, Line, Message, Outcome, Role, StreamNotice, TurnEnded, TurnQueued, TurnState
from kitsu_orchestrator.again import comes_again, paid_and_lost
from kitsu_orchestrator.ahead import Ahead, exchange
from kitsu_orchestrator.crowd import AuthorKey, Crowd, author_key
from kitsu_orchestrator.floor import Floor
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

    What is being said into a microphone may be thought about before it is certain (a guess): it is kept, or dropped
    without a trace.
    """

    def __init__(self, name: str, studio: Studio, levels: Levels, intake: Intake, store: Store) -> None:
        self.name = name
        self.waiting = Waiting(intake.settings.max_waiting)
        self.crowd = Crowd(intake.settings, intake.count)
        self.on_end: Callable[[Job, Story], None] = lambda job, story: None
        self.floor = Floor()
        self.current: Turn | None = None
        self.last_used = time.monotonic()
        self.ended: deque[TurnState] = deque(maxlen=20)
        self._ahead: Ahead | None = None  # of the next line
        self._guess: Ahead | None = None  # of what is being said
        self._newest = 0  # generation that was given out last
        self._discarded: set[asyncio.Task[Story]] = set()
        self._studio = studio
        self._levels = levels
        self._intake = intake
        self._store = store
        self._history: deque[tuple[AuthorKey, Line]] = deque(maxlen=studio.turn.history_lines)

    @property
    def speculative(self) -> Turn | None:
        """The turn after the running one, as far as it is prepared."""
        return self._ahead.turn if self._ahead is not None else None

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
        self._history.extend((author, line) for line in exchange(prompt, heard))

    def offer(self, job: Job, *, now: bool = False) -> None:
        """Take a line in; whatever had to go for it ends as dropped. `now`: it cuts what she is saying."""
        self.last_used = time.monotonic()
        shed = None
        if now:
            self.interrupt("interrupted", "replaced")
            self.floor.clear()
            self.waiting.put_first(job)
        else:
            shed = self.waiting.put(job)
        if shed is not job:
            self._studio.publish(TurnQueued(conv=self.name, turn_id=job.turn_id, waiting=len(self.waiting) - 1))
        if shed is not None:
            self.end(shed, "dropped", "queue_full")
            if shed.paid:
                self._paid_dropped("So many paid lines wait that the oldest one will not be answered")

    def woken(self) -> None:
        """The crowd has a line."""
        self.last_used = time.monotonic()
        self.waiting.wake.set()

    def remove(self, gone: Callable[[Job], bool]) -> int:
        """The platform took lines back: none of them may sound, nor stay in what she remembers. Returns how many."""
        if self.speculative is not None and gone(self.speculative.job):
            self._think_again()
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
        self._think_again()
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
        for turn in self._turns():
            if turn.job.turn_id == message.turn_id and turn.gen == message.gen:
                turn.receive(message, frame)

    def peer_lost(self, role: Role) -> None:
        """A worker died."""
        if role == "playout":
            if self.current is not None and self.current.clock_lost():
                self.interrupt("failed", "playout_lost")
            return
        for turn in self._turns():
            turn.peer_lost(role)

    def interrupt(self, outcome: Outcome, reason: str) -> bool:
        """End the running turn now; the next line follows at once. False: nothing was running."""
        if self.current is None:
            return False
        self._cut(outcome, reason, self._next_gen())
        self.drop_guess()
        return True

    def end_all(self, outcome: Outcome, reason: str, gen: int) -> None:
        """End everything, waiting lines too. `gen`: the new generation."""
        if self.current is not None:
            self.current.cancel(outcome, reason, gen)
        self._think_again()
        self.drop_guess()
        for job in self.waiting.clear():
            self.end(job, outcome, reason)
        if crowd := self.crowd.clear():
            self._intake.count(reason, crowd)

    # What is being said into a microphone

    @property
    def guess(self) -> Turn | None:
        """The turn that was begun before it was certain what is said."""
        return self._guess.turn if self._guess is not None else None

    def begin_guess(self, job: Job) -> None:
        """Think about what somebody has probably said. What she is saying now is taken to end where it stands."""
        self.drop_guess()
        self._guess = self._think(job, self.current, self.current.story.heard_text if self.current else "")

    def keep_guess(self) -> bool:
        """They did say it: it cuts what she is saying, and goes before all that waits. False: think anew."""
        guess, self._guess = self._guess, None
        if guess is None:
            return False
        other = self.current is not None and guess.after is not self.current
        if other or guess.turn.gen <= self._levels.gen(self.name):
            self._forget(guess)
            return False
        if self.current is not None:
            self._cut("interrupted", "spoken_over", guess.turn.gen)
        self._think_again()
        self._ahead = guess
        guess.turn.story.begin_anew()
        self._store.save(guess.turn.story)
        self._studio.publish(TurnQueued(conv=self.name, turn_id=guess.turn.job.turn_id, waiting=0))
        self.woken()
        return True

    def drop_guess(self) -> None:
        """They said something else, or nothing."""
        guess, self._guess = self._guess, None
        if guess is not None:
            self._forget(guess)

    def _forget(self, guess: Ahead) -> None:
        self._discard(guess)
        self._studio.care.take_back(guess.turn.job.turn_id)

    async def run(self) -> None:
        """Answer lines for ever."""
        while True:
            turn, task = await self._take()
            self._levels.raise_to(self.name, turn.gen)
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
        if self._ahead is not None and not self._ahead.builds_on(turn, story.heard_text):
            self._think_again()
        if self._guess is not None and not self._guess.builds_on(turn, story.heard_text):
            self.drop_guess()
        if comes_again(turn.job, story):
            self._put_back(turn.job, story)
        else:
            turn.job.finish(story)
        if paid_and_lost(turn.job, story):
            self._paid_dropped("A paid line was spoken over twice before anything of her answer was heard")
        self._store.save(story)
        self.on_end(turn.job, story)

    def _paid_dropped(self, why: str) -> None:
        text = f"{why}. It is in the list of turns."
        self._studio.publish(StreamNotice(level="warn", code="paid_line_dropped", message=text))

    def _put_back(self, job: Job, story: Story) -> None:
        """Its line waits once more, as a turn of its own."""
        again = job.once_more()
        story.again = again.turn_id
        story.step("turn.put_back", again.turn_id)
        self._studio.care.take_back(job.turn_id)
        self.waiting.put_back(again)
        if again.must_survive:
            self._store.save(again.story())
        ahead = len(self.waiting) - 1
        self._studio.publish(TurnQueued(conv=self.name, turn_id=again.turn_id, waiting=ahead, again=job.turn_id))

    async def _take(self) -> tuple[Turn, asyncio.Task[Story]]:
        """The next turn: the prepared one, unless the operator's words have come in since."""
        while True:
            await self.floor.free.wait()
            if self._ahead is not None and self.waiting.urgent and rank_of(self._ahead.turn.job):
                self._think_again()
            if self._ahead is not None:
                ahead, self._ahead = self._ahead, None
                return ahead.turn, ahead.task
            if (job := self._fresh()) is not None:
                turn = self._turn(job, self._levels.gen(self.name), [])
                self._store.save(turn.story)
                return turn, asyncio.create_task(turn.run())
            await self._woken()

    async def _prepare(self, turn: Turn) -> None:
        """Once `turn` has only to be played, think about the line after it."""
        await turn.voiced_all.wait()
        while self._ahead is None and not turn.over:
            if (job := self._fresh()) is not None:
                self._ahead = self._think(job, turn, turn.story.full_text)
                self._store.save(self._ahead.turn.story)
            else:
                await self._woken()

    async def _woken(self) -> None:
        self.waiting.wake.clear()
        await self.waiting.wake.wait()

    def _fresh(self) -> Job | None:
        """The best line that is not stale; those that are end here."""
        while (job := self._best()) is not None:
            if job.kind == "say" or job.paid or job.age_s() <= self._intake.settings.stale_after_s:
                return job
            self.end(job, "expired", "stale")
        return None

    def _best(self) -> Job | None:
        """The operator's and paid lines first; then whichever waited longer, here or in the crowd."""
        ours = len(self.waiting) and (self.waiting.valued or self.waiting.oldest <= self.crowd.oldest)
        return self.waiting.take() if ours else self.crowd.take()

    def _think(self, job: Job, after: Turn | None, assumed: str) -> Ahead:
        """Begin a turn ahead, as if `assumed` had been heard of the one before it."""
        turn = self._turn(job, self._next_gen(), exchange(after.prompt, assumed) if after else [])
        return Ahead(turn, asyncio.create_task(turn.run()), after, assumed)

    def _turn(self, job: Job, gen: int, assumed: list[Line]) -> Turn:
        history = deque((line for _, line in self._history), maxlen=self._history.maxlen)
        history.extend(assumed)
        return Turn(self._studio, job, gen, tuple(history), self.interrupt)

    def _turns(self) -> list[Turn]:
        ahead = [one.turn for one in (self._ahead, self._guess) if one is not None]
        return ahead if self.current is None else [self.current, *ahead]

    def _next_gen(self) -> int:
        self._newest = max(self._newest, self._levels.gen(self.name)) + 1
        return self._newest

    def _cut(self, outcome: Outcome, reason: str, gen: int) -> None:
        """End the running turn; `gen` begins."""
        assert self.current is not None
        self._levels.raise_to(self.name, gen)
        self.current.cancel(outcome, reason, gen)
        self._think_again()

    def _think_again(self) -> None:
        """Throw the turn ahead away; its line waits again."""
        if self._ahead is not None:
            ahead, self._ahead = self._ahead, None
            self._discard(ahead)
            self.waiting.put_back(ahead.turn.job)

    def _discard(self, ahead: Ahead) -> None:
        ahead.turn.discard()
        self._discarded.add(ahead.task)
        ahead.task.add_done_callback(self._discarded.discard)
