"""One turn: a line, the model's answer, the gate, the voice, the clock. One cancel scope around all of it."""

import asyncio
from collections.abc import Sequence

from kitsu.characters import quote_line
from kitsu.errors import GateError
from kitsu.protocol import (
    Line,
    Message,
    Outcome,
    PlayoutFinished,
    PlayoutFlush,
    PlayoutProgress,
    PlayoutStarted,
    PolicyCancel,
    PolicyDelta,
    PolicyFailed,
    PolicyFinished,
    Role,
    TtsAudio,
    TtsCancel,
    TtsFailed,
    TtsFinished,
    TurnEnded,
    TurnStarted,
    TurnState,
)
from kitsu.safety import InputVerdict
from kitsu.telemetry import log
from kitsu_orchestrator.answer import Answer, Ending
from kitsu_orchestrator.lines import Job, TurnIds
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.voicing import Voicing

PLAYOUT_ANSWER_S = 1.0


class Turn:
    """Runs one job. `run` returns its story; `receive` feeds it what the hub gets for it."""

    def __init__(self, studio: Studio, job: Job, gen: int, history: Sequence[Line]) -> None:
        self.job = job
        self.gen = gen
        self.started: TurnStarted | None = None
        self.story = Story(
            turn_id=job.turn_id,
            conv=job.conv,
            kind=job.kind,
            accepted_at=job.accepted_at,
            author_role=job.author.role,
            platform=job.author.platform,
            received=job.received,
        )
        self._studio = studio
        self._history = tuple(history)
        self._ids = TurnIds(conv=job.conv, turn_id=job.turn_id, gen=gen)
        self._voicing = Voicing(studio.hub, studio.slots, studio.turn, self._ids, job.clock)
        self._answer = Answer(studio, self.story, self._ids, self._voicing)
        self._played: asyncio.Future[PlayoutFinished] = asyncio.get_running_loop().create_future()
        self._end: Ending | None = None
        self._scope: asyncio.Task[Ending] | None = None

    @property
    def voiced_all(self) -> asyncio.Event:
        """Set when nothing but playing is left to do."""
        return self._voicing.voiced_all

    def state(self) -> TurnState:
        """The turn as pages show it."""
        return TurnState(
            turn_id=self.job.turn_id,
            conv=self.job.conv,
            kind=self.job.kind,
            started_at=self.job.accepted_at,
            author=self.started.author if self.started else None,
            question=self.started.question if self.started else None,
            segments=tuple(self._answer.segments),
            heard=self.story.heard,
            outcome=self.story.outcome,
            reason=self.story.reason,
            times=self.story.times,
        )

    def receive(self, message: Message, frame: str | bytes) -> None:
        """A worker's message for this turn."""
        match message:
            case PolicyDelta() | PolicyFinished() | PolicyFailed():
                self._answer.receive(message)
            case TtsAudio():
                self.story.mark("first_chunk_ms")
                assert isinstance(frame, bytes)
                self._voicing.audio(message, frame)
            case TtsFinished() | TtsFailed():
                self._voicing.ended(message)
            case PlayoutStarted():
                self.story.mark("first_audio_ms")
                self.story.step("playout.started")
            case PlayoutProgress():
                self._voicing.progressed(message)
                others = (part for part in self.story.heard if part.segment != message.heard.segment)
                self.story.heard = (*others, message.heard)  # in case playout dies before it can say
            case PlayoutFinished():
                if not self._played.done():
                    self._played.set_result(message)
            case _:
                raise AssertionError(f"{type(message).__name__} is routed to turns, but they do not know it")

    def peer_lost(self, role: Role) -> None:
        """A worker's process is gone."""
        self.story.step("worker.lost", role)
        if role == "policy":
            self._answer.policy_lost()
        elif role == "tts":
            self._voicing.voice_lost()
        elif role == "playout" and self._voicing.opened and not self._played.done():
            self._played.set_exception(ConnectionError("playout is gone"))
            self.cancel("failed", "playout_lost", self.gen)

    def commit(self) -> None:
        """The turn may be heard."""
        self._voicing.committed.set()

    def cancel(self, outcome: Outcome, reason: str, gen: int) -> None:
        """End now: model, voice and clock stop in this same tick. `gen` is the conversation's new generation."""
        if self._end is not None:
            return
        self._end = Ending(outcome, reason)
        self.story.step("turn.cancelled", reason)
        hub, conv, turn_id = self._studio.hub, self.job.conv, self.job.turn_id
        if self._voicing.opened:
            hub.flush(conv, gen)
            hub.send("playout", PlayoutFlush(conv=conv, turn_id=turn_id, gen=gen, reason=reason))
        hub.send("tts", TtsCancel(conv=conv, turn_id=turn_id, gen=gen))
        if self._answer.thinking:
            hub.send("policy", PolicyCancel(conv=conv, turn_id=turn_id, gen=gen))
        if self._scope is not None:
            self._scope.cancel()

    async def run(self) -> Story:
        """Run to the end, whatever happens; never raises but for the caller's own cancellation."""
        if self._end is None:
            self._scope = asyncio.create_task(self._work())
            try:
                await asyncio.wait({self._scope})
            except asyncio.CancelledError:
                self.cancel("dropped", "stopped", self.gen + 1)
                raise
            self._conclude(self._scope)
        self._close(await self._playout_answer())
        return self.story

    async def _work(self) -> Ending:
        text = await self._admit()
        if isinstance(text, Ending):
            return text
        async with asyncio.TaskGroup() as group:
            voicing = group.create_task(self._voicing.run())
            ending = await self._words(text)
            self._voicing.close()
            await voicing
        if self._voicing.failure is not None:
            code = self._voicing.failure.code
            self.story.step("voice.failed", code)
            ending = Ending("failed", "playout_lost" if code == "playout_missing" else "voice_failed")
        if self._voicing.opened:
            await asyncio.shield(self._played)  # the clock always answers; if it dies, `peer_lost` ends the turn
        return ending

    async def _words(self, text: str) -> Ending:
        if self.job.kind == "say":
            return await self._answer.recite(text)
        prompt = quote_line(self.job.author.role, self.story.author or "someone", text)
        return await self._answer.ask(prompt, text, self._history)

    async def _admit(self) -> str | Ending:
        """Gate(in): the line as the model gets it, or how the turn ends."""
        job = self.job
        if job.kind == "say":
            self._start(None)
            return job.text
        try:
            judging = self._studio.gate.judge_input(job.text, author=job.author.name, turn_id=job.turn_id)
            verdict = await self._studio.verdict(judging)
        except GateError as error:
            self.story.step("gate.error", error.code)
            self._start(None)
            return Ending("blocked", "gate_error")
        self.story.mark("gate_in_ms")
        if not verdict.allowed:
            self.story.step("gate.blocked_input", verdict.why.rule)
            self._start(None)
            return Ending("blocked", "input_gate")
        self._start(verdict)
        return verdict.text

    def _start(self, verdict: InputVerdict | None) -> None:
        author = verdict.author if verdict else None
        self.story.author = author.text if author else ""
        self.story.text = verdict.text if verdict else ""
        self.started = TurnStarted(
            **self._ids,
            kind=self.job.kind,
            author=author,
            author_role=self.job.author.role,
            question=verdict.question if verdict else None,
        )
        self.story.step("turn.started")
        self._studio.publish(self.started)
        self._studio.hub.send("control", self.started)

    def _conclude(self, scope: asyncio.Task[Ending]) -> None:
        """What the work came to. A crash in it is a bug: the show goes on, the log tells."""
        if self._end is not None:
            return
        error = scope.exception()
        if error is None:
            self._end = scope.result()
        else:
            log.error("turn.crashed", turn_id=self.job.turn_id, exc_info=error)
            self.cancel("failed", "internal", self.gen + 1)

    async def _playout_answer(self) -> PlayoutFinished | None:
        if not self._voicing.opened:
            return None
        try:
            async with asyncio.timeout(PLAYOUT_ANSWER_S):
                return await self._played
        except (TimeoutError, ConnectionError):
            return None

    def _close(self, played: PlayoutFinished | None) -> None:
        story = self.story
        assert self._end is not None
        story.outcome, story.reason = self._end
        story.tts_engine = self._voicing.engine
        if played is not None:
            story.heard, story.audio_ms, story.wav = played.heard, round(played.audio_ms, 1), played.wav
            if played.muted and not played.heard and story.outcome in ("spoken", "fallback"):
                story.outcome, story.reason = "muted", "muted"
            if played.reason == "lost":
                story.outcome, story.reason = "failed", "playout_lost"
        story.step("turn.ended", f"{story.outcome}/{story.reason}")
        ended = TurnEnded(
            **self._ids,
            outcome=story.outcome,
            reason=story.reason,
            heard=story.heard_text,
            audio_ms=story.audio_ms,
            times=story.times,
            policy_engine=story.policy_engine,
            tts_engine=story.tts_engine,
        )
        self._studio.publish(ended)
        self._studio.hub.send("control", ended)
        log.info(
            "turn.ended",
            turn_id=story.turn_id,
            conv=story.conv,
            outcome=story.outcome,
            reason=story.reason,
            first_audio_ms=story.times.first_audio_ms,
            audio_ms=story.audio_ms,
        )
