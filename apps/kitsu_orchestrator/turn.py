"""One turn: a line, the model's answer, the gate, the voice, the clock. One cancel scope around all of it."""

import asyncio
from collections.abc import Callable

from kitsu.characters import careful_line, quote_line
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
from kitsu.telemetry import log
from kitsu_orchestrator.admission import Admission
from kitsu_orchestrator.answer import Answer, Ending
from kitsu_orchestrator.cue import Cue
from kitsu_orchestrator.curtain import Curtain
from kitsu_orchestrator.lines import Job, TurnIds
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.voicing import Voicing

PLAYOUT_ANSWER_S = 1.0
_CUT: dict[str, tuple[Outcome, str]] = {"panic": ("panic", "panic"), "paused": ("interrupted", "spoken_over")}
"""How a turn ends that the clock ended by itself."""


class Turn:
    """Runs one job. `run` returns its story; `receive` feeds it what the hub gets for it.

    Until `commit`, nobody sees or hears anything of it. `interrupt` ends the conversation's running turn, which begins
    a new generation.
    """

    def __init__(
        self, studio: Studio, job: Job, gen: int, history: tuple[Line, ...], interrupt: Callable[[Outcome, str], object]
    ) -> None:
        self.job = job
        self.gen = gen
        self.prompt = ""  # the line as the model got it
        self.story = job.story()
        self.story.endpoint_ms = job.endpoint_ms
        self._studio = studio
        self._history = history
        self._interrupt = interrupt
        self._ids = TurnIds(conv=job.conv, turn_id=job.turn_id, gen=gen)
        self._voicing = Voicing(studio.hub, studio.voices, studio.turn, self._ids, job.clock)
        self._curtain = Curtain(studio)
        self._admission = Admission(studio, job, self.story, self._ids, self._curtain)
        self._answer = Answer(
            studio, self.story, self._ids, self._voicing, self._curtain.tell, self._curtain.note, self._halt
        )
        self._winding_down = False
        self._played: asyncio.Future[PlayoutFinished] = asyncio.get_running_loop().create_future()
        self._end: Ending | None = None
        self._scope: asyncio.Task[Ending] | None = None

    @property
    def started(self) -> TurnStarted | None:
        """What was told of its beginning; None: the gate has not judged its line yet."""
        return self._admission.started

    @property
    def voiced_all(self) -> asyncio.Event:
        """Set when nothing but playing is left to do."""
        return self._voicing.voiced_all

    @property
    def over(self) -> bool:
        """It has ended, or is about to."""
        return self._end is not None

    @property
    def unheard(self) -> bool:
        """Nothing of it has sounded yet."""
        return self._end is None and not self.story.times.first_audio_ms

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
                self._finished(message)
            case _:
                raise AssertionError(f"{type(message).__name__} is routed to turns, but they do not know it")

    def peer_lost(self, role: Role) -> None:
        """The model's or the voice's process is gone."""
        self.story.step("worker.lost", role)
        if role == "policy":
            self._answer.policy_lost()
        elif role == "tts":
            self._voicing.voice_lost()

    def clock_lost(self) -> bool:
        """Playout's process is gone. Returns whether the turn was in its hands."""
        if not self._voicing.opened or self._played.done():
            return False
        self.story.step("worker.lost", "playout")
        self._played.cancel()
        return True

    def commit(self) -> None:
        """The turn may be heard and seen."""
        self._curtain.rise()
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

    def wind_down(self) -> None:
        """End after the segment that sounds."""
        if self._end is None and not self._winding_down:
            self._winding_down = True
            self.story.step("turn.winding_down")
            self._answer.stop()
            self._answer.over = True
            del self.story.segments[self._voicing.wind_down() :]  # what follows builds on what will have been heard

    def discard(self) -> None:
        """End a turn that was never committed: nobody is told, its line will be answered anew."""
        assert not self._curtain.up
        self.cancel("dropped", "stopped", self.gen + 1)
        log.info("turn.discarded", turn_id=self.job.turn_id, conv=self.job.conv)

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
        text = await self._admission.admit()
        if isinstance(text, Ending):
            return text
        async with asyncio.TaskGroup() as group:
            words = group.create_task(self._words(text))
            words.add_done_callback(lambda _: self._voicing.close())
            await self._voicing.run()
            self._answer.stop()
            words.cancel()  # still running only if there is no voice to say them
        failure = self._voicing.failure
        if failure is not None:
            self.story.step("voice.failed", failure.code)
            ending = Ending("failed", "playout_lost" if failure.code == "playout_missing" else "voice_failed")
        elif self._winding_down:
            ending = Ending("spoken", "yielded")
        else:
            ending = words.result()
        if self._voicing.opened:
            await asyncio.shield(self._played)  # the clock always answers; if it dies, `clock_lost` ends the turn
        return ending

    async def _words(self, text: str) -> Ending:
        if self.job.kind == "say":
            return await self._answer.recite(text)
        if self.job.cue is not None:
            return await self._improvise(self.job.cue)
        if self._admission.own_line:
            return await self._answer.fall_back(self._admission.own_line, Ending("fallback", "input_gate"))
        self.prompt = quote_line(self.job.author.role, self.story.author or "someone", text)
        if self._admission.care:
            self.prompt = careful_line(self.prompt, self._admission.care)
        return await self._answer.ask(self.prompt, text, self._history)

    async def _improvise(self, cue: Cue) -> Ending:
        """In the model's words where there is one, else in her own written ones."""
        if cue.line and not self._studio.improvises:
            return await self._answer.recite(cue.line)
        self.prompt, self._answer.instead = cue.prompt, cue.line
        return await self._answer.ask(cue.prompt, self.job.text, self._history)

    def _halt(self, category: str) -> None:
        """The gate wants silence: model, voice and what is sounding end in this same tick."""
        text = f"She was stopped: what came next was {category}. kitsu why {self.job.turn_id}"
        self._curtain.notice("gate_stopped", text)
        if self._curtain.up:
            self._interrupt("blocked", "output_gate")
        else:
            self.cancel("blocked", "output_gate", self.gen)  # nothing of it was heard

    def _finished(self, message: PlayoutFinished) -> None:
        """The clock's last word. Unasked, it is bad news: panic pressed at the launcher, or playout lost its hub."""
        if not self._played.done():
            self._played.set_result(message)
        if self._end is None and message.reason != "played":
            self._interrupt(*_CUT.get(message.reason, ("failed", "playout_lost")))

    def _conclude(self, scope: asyncio.Task[Ending]) -> None:
        """What the work came to. A crash in it is a bug: the show goes on, the log tells."""
        if self._end is not None:
            return
        try:
            self._end = scope.result()
        except Exception:  # noqa: BLE001 - a bug in one turn must not end the show
            log.exception("turn.crashed", turn_id=self.job.turn_id)
            if self._curtain.up:
                self._interrupt("failed", "internal")
            else:
                self._end = Ending("failed", "internal")

    async def _playout_answer(self) -> PlayoutFinished | None:
        if not self._voicing.opened:
            return None
        done, _ = await asyncio.wait({self._played}, timeout=PLAYOUT_ANSWER_S)
        return self._played.result() if done and not self._played.cancelled() else None

    def _close(self, played: PlayoutFinished | None) -> None:
        story = self.story
        assert self._end is not None
        story.outcome, story.reason = self._end
        story.tts_engine = self._voicing.engine
        if played is not None:
            story.heard, story.audio_ms, story.wav = played.heard, round(played.audio_ms, 1), played.wav
            if played.muted and not played.heard and story.outcome in ("spoken", "fallback"):
                story.outcome, story.reason = "muted", "muted"
        story.step("turn.ended", f"{story.outcome}/{story.reason}")
        self._tell_end()

    def _tell_end(self) -> None:
        story = self.story
        assert story.outcome is not None
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
        self._curtain.tell(ended)
        log.info(
            "turn.ended",
            turn_id=story.turn_id,
            conv=story.conv,
            outcome=story.outcome,
            reason=story.reason,
            first_audio_ms=story.times.first_audio_ms,
            audio_ms=story.audio_ms,
        )
