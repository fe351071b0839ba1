"""One turn: a line, the model's answer, the gate, the voice, the clock. One cancel scope around all of it."""

import asyncio
import time
from collections.abc import Sequence
from typing import Protocol

from kitsu.characters import Character, quote_line
from kitsu.config import PolicySettings
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
    PolicyRespond,
    Role,
    Segment,
    StageTimes,
    TtsAudio,
    TtsCancel,
    TtsFailed,
    TtsFinished,
    TurnEnded,
    TurnSegment,
    TurnStarted,
    TurnState,
)
from kitsu.safety import InputVerdict, Judge, OutputWindow
from kitsu.speech import RawSegment, SegmentStream
from kitsu.telemetry import log
from kitsu_orchestrator.config import TurnSettings
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.slots import Slots
from kitsu_orchestrator.story import SpokenSegment, Step, Story
from kitsu_orchestrator.voicing import Voicing

PLAYOUT_ANSWER_S = 1.0
POLICY_TRIES = 2


class Publish(Protocol):
    def __call__(self, message: Message) -> None: ...


class Studio:
    """What every turn works with."""

    def __init__(
        self,
        hub: Hub,
        gate: Judge,
        slots: Slots,
        publish: Publish,
        character: Character,
        turn: TurnSettings,
        policy: PolicySettings,
    ) -> None:
        self.hub = hub
        self.gate = gate
        self.slots = slots
        self.publish = publish
        self.character = character
        self.turn = turn
        self.policy = policy
        self._fallbacks: dict[str, int] = {}

    def fallback(self, kind: str) -> str:
        """Her next line for when something went wrong; empty if she has none."""
        lines = self.character.fallbacks.get(kind, ())
        if not lines:
            return ""
        index = self._fallbacks.get(kind, 0)
        self._fallbacks[kind] = index + 1
        return lines[index % len(lines)]


class _Stop(Exception):  # noqa: N818  # not an error: how an answer ends
    """The answer ends here; carries outcome and reason."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(outcome, reason)
        self.outcome = outcome
        self.reason = reason


class Turn:
    """Runs one job. `run` returns its story; `receive` feeds it what the hub gets for it."""

    def __init__(self, studio: Studio, job: Job, gen: int, history: Sequence[Line]) -> None:
        self._studio = studio
        self.job = job
        self.gen = gen
        self._history = tuple(history)
        self._ids = {"conv": job.conv, "turn_id": job.turn_id, "gen": gen}
        self.story = Story(
            turn_id=job.turn_id,
            conv=job.conv,
            kind=job.kind,
            accepted_at=job.accepted_at,
            author_role=job.author.role,
            platform=job.author.platform,
        )
        self.started: TurnStarted | None = None
        self.contents: list[Segment] = []
        self._answers: asyncio.Queue[PolicyDelta | PolicyFinished | PolicyFailed] = asyncio.Queue()
        self._voicing = Voicing(studio.hub, studio.slots, studio.turn, clock=job.clock, **self._ids)
        self._window: OutputWindow = studio.gate.window(job.turn_id)
        self._speech = SegmentStream(
            cuts=studio.policy.cuts,
            names=(studio.character.name,),
            expressions=studio.character.expressions,
            actions=studio.character.actions,
        )
        self._played: asyncio.Future[PlayoutFinished] = asyncio.get_running_loop().create_future()
        self._times: dict[str, float] = {}
        self._end: tuple[Outcome, str] | None = None
        self._scope: asyncio.Task[None] | None = None
        self._thinking = False

    # What the hub brings

    def receive(self, message: Message, frame: str | bytes) -> None:
        """A message of this turn. Anything of an older generation was dropped before, ends excepted."""
        match message:
            case PolicyDelta() | PolicyFinished() | PolicyFailed():
                self._answers.put_nowait(message)
            case TtsAudio():
                self._mark("first_chunk_ms")
                assert isinstance(frame, bytes)
                self._voicing.audio(message, frame, _payload_bytes(frame))
            case TtsFinished() | TtsFailed():
                self._voicing.ended(message)
            case PlayoutStarted():
                self._mark("first_audio_ms")
                self._step("playout.started")
            case PlayoutProgress():
                self._voicing.progressed(message)
                self._note_heard(message)
            case PlayoutFinished():
                if not self._played.done():
                    self._played.set_result(message)
            case _:
                pass

    def peer_lost(self, role: Role) -> None:
        """A worker's process is gone."""
        self._step("worker.lost", role)
        if role == "policy" and self._thinking:
            failed = PolicyFailed(code="policy_lost", message="the model's process ended", retryable=True)
            self._answers.put_nowait(failed)
        elif role == "tts":
            self._voicing.voice_lost()
        elif role == "playout" and self._voicing.opened and not self._played.done():
            self.cancel("failed", "playout_lost", self.gen)

    # The operator's verbs

    def commit(self) -> None:
        """The turn may be heard."""
        self._voicing.committed.set()

    @property
    def voiced_all(self) -> asyncio.Event:
        """Set when nothing but playing is left to do."""
        return self._voicing.voiced_all

    def cancel(self, outcome: Outcome, reason: str, gen: int) -> None:
        """End now: model, voice and clock stop in this same tick. `gen` is the conversation's new generation."""
        if self._end is not None:
            return
        self._end = (outcome, reason)
        self._step("turn.cancelled", reason)
        hub, conv, turn_id = self._studio.hub, self.job.conv, self.job.turn_id
        if self._voicing.opened:
            hub.flush(conv, gen)
            hub.send("playout", PlayoutFlush(conv=conv, turn_id=turn_id, gen=gen, reason=reason))
        hub.send("tts", TtsCancel(conv=conv, turn_id=turn_id, gen=gen))
        if self._thinking:
            hub.send("policy", PolicyCancel(conv=conv, turn_id=turn_id, gen=gen))
        if self._scope is not None:
            self._scope.cancel()

    def state(self) -> TurnState:
        """The turn as pages show it."""
        return TurnState(
            turn_id=self.job.turn_id,
            conv=self.job.conv,
            kind=self.job.kind,
            started_at=self.job.accepted_at,
            author=self.started.author if self.started else None,
            question=self.started.question if self.started else None,
            segments=tuple(self.contents),
            heard=self.story.heard,
            outcome=self.story.outcome,
            reason=self.story.reason,
            times=self.story.times,
        )

    # The turn itself

    async def run(self) -> Story:
        """Run to the end, whatever happens; never raises but for the caller's own cancellation."""
        if self._end is None:
            self._scope = asyncio.create_task(self._work())
            try:
                await asyncio.wait({self._scope})
            except asyncio.CancelledError:
                self.cancel("dropped", "stopped", self.gen)
                raise
            self._end = self._end or self._verdict(self._scope)
        played = await self._playout_answer()
        self._close(played)
        return self.story

    def _verdict(self, scope: asyncio.Task[None]) -> tuple[Outcome, str]:
        error = scope.exception()
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        if error is None:
            return "spoken", "completed"
        if isinstance(error, _Stop):
            return error.outcome, error.reason
        log.error("turn.crashed", turn_id=self.job.turn_id, error=type(error).__name__, exc_info_=repr(error))
        self.cancel("failed", "internal", self.gen)
        return "failed", "internal"

    async def _work(self) -> None:
        text = await self._admit()
        async with asyncio.TaskGroup() as group:
            voicing = group.create_task(self._voicing.run())
            ending = await (self._recite() if self.job.kind == "say" else self._answer(text))
            self._voicing.close()
            await voicing
        if self._voicing.failure is not None:
            code = self._voicing.failure.code
            raise _Stop("failed", "playout_lost" if code == "playout_missing" else "voice_failed")
        if self._voicing.opened:
            await self._wait_until_played()
        if ending is not None:
            raise ending

    async def _wait_until_played(self) -> None:
        """The clock always answers; if its process dies, `peer_lost` ends the turn."""
        await asyncio.shield(self._played)

    async def _admit(self) -> str:
        """Gate(in). Returns the line as the model gets it."""
        job = self.job
        if job.kind == "say":
            self._publish_start(None)
            return job.text
        try:
            verdict = await self._studio.gate.judge_input(job.text, author=job.author.name, turn_id=job.turn_id)
        except GateError as error:
            self._step("gate.error", error.code)
            self._publish_start(None)
            raise _Stop("blocked", "gate_error") from None
        self._mark("gate_in_ms")
        if not verdict.allowed:
            self._step("gate.blocked_input", verdict.why.rule)
            self._publish_start(None)
            raise _Stop("blocked", "input_gate")
        self._publish_start(verdict)
        return verdict.text

    def _publish_start(self, verdict: InputVerdict | None) -> None:
        author = verdict.author if verdict else None
        question = verdict.question if verdict else None
        self.story.author = author.text if author else ""
        self.story.text = verdict.text if verdict else ""
        self.started = TurnStarted(
            **self._ids, kind=self.job.kind, author=author, author_role=self.job.author.role, question=question
        )
        self._step("turn.started")
        self._studio.publish(self.started)
        self._studio.hub.send("control", self.started)

    async def _recite(self) -> _Stop | None:
        """The operator's own words."""
        for segment in (*self._speech.feed(self.job.text), *self._speech.finish()):
            if (stop := await self._offer(segment)) is not None:
                return stop
        return None if self._voicing.segments else _Stop("blocked", "output_gate")

    async def _answer(self, text: str) -> _Stop | None:
        """Ask the model and take its answer apart. Returns how the turn ends if not simply spoken."""
        for tries in range(1, POLICY_TRIES + 1):
            failed = await self._think(text)
            if not isinstance(failed, PolicyFailed):
                return failed
            log.warning("turn.policy_failed", turn_id=self.job.turn_id, code=failed.code, tries=tries)
            self._step("policy.failed", failed.code)
            if not failed.retryable or self._voicing.segments:
                break
        return await self._fall_back("brain_down", "policy_failed")

    async def _think(self, text: str) -> _Stop | PolicyFailed | None:
        studio = self._studio
        if await studio.hub.wait_for("policy", studio.turn.worker_grace_s) is None:
            return PolicyFailed(code="policy_missing", message="the model's process is not running")
        name = self.story.author or "someone"
        studio.hub.send(
            "policy",
            PolicyRespond(
                **self._ids,
                history=self._history,
                prompt=quote_line(self.job.author.role, name, text),
                plain=text,
                max_tokens=studio.policy.max_tokens,
                temperature=studio.policy.temperature,
            ),
        )
        self._thinking = True
        try:
            return await self._take_answer()
        finally:
            self._thinking = False

    async def _take_answer(self) -> _Stop | PolicyFailed | None:
        while True:
            try:
                async with asyncio.timeout(self._studio.turn.think_timeout_s):
                    message = await self._answers.get()
            except TimeoutError:
                self._studio.hub.send("policy", PolicyCancel(**self._ids))
                return PolicyFailed(code="policy_timeout", message="no word from the model")
            match message:
                case PolicyDelta():
                    self._mark("first_token_ms")
                    segments = self._speech.feed(message.text, self._voicing.buffered_ms())
                case PolicyFinished():
                    self.story.policy_engine = message.engine
                    segments = self._speech.finish()
                case PolicyFailed():
                    return message
            for segment in segments:
                if (stop := await self._offer(segment)) is not None:
                    self._stop_thinking(message)
                    return stop
            if isinstance(message, PolicyFinished):
                return await self._finished(message)

    async def _finished(self, message: PolicyFinished) -> _Stop | None:
        if not self._voicing.segments:
            return await self._fall_back("empty", "empty_answer")
        return _Stop("spoken", "capped") if message.reason == "length" else None

    def _stop_thinking(self, last: Message) -> None:
        if isinstance(last, PolicyDelta):
            self._studio.hub.send("policy", PolicyCancel(**self._ids))

    async def _offer(self, segment: RawSegment) -> _Stop | None:
        """Gate(out) for one segment; approved ones go to the voice in the same tick."""
        if self._voicing.total_ms() >= self._studio.turn.max_audio_s * 1000:
            return _Stop("spoken", "capped")
        try:
            verdict = await self._window.judge(segment.text)
        except GateError as error:
            self._step("gate.error", error.code)
            return _Stop("blocked", "gate_error")
        if not verdict.allowed or verdict.speech is None or verdict.caption is None:
            self._step("gate.blocked_output", verdict.why.rule)
            return await self._fall_back("blocked", "output_gate")
        self._mark("first_segment_ms")
        voiced = self._voicing.add(
            verdict.speech,
            verdict.caption,
            expression=segment.expression,
            action=segment.action,
            intensity=segment.intensity,
        )
        content = Segment(
            text=verdict.caption, expression=segment.expression, action=segment.action, intensity=segment.intensity
        )
        self.contents.append(content)
        self.story.segments.append(
            SpokenSegment(verdict.caption.text, segment.expression, segment.action, segment.intensity)
        )
        self._studio.publish(TurnSegment(**self._ids, segment=voiced.index, content=content))
        return None

    async def _fall_back(self, kind: str, reason: str) -> _Stop:
        """Say one of her own lines instead. It passes the gate like everything else, in a window of its own."""
        text = self._studio.fallback(kind)
        stop = _Stop("blocked", reason) if reason == "output_gate" else _Stop("failed", "policy_failed")
        if not text:
            return stop
        self._window = self._studio.gate.window(self.job.turn_id)
        try:
            verdict = await self._window.judge(text)
        except GateError:
            return stop
        if verdict.speech is None or verdict.caption is None:
            return stop
        voiced = self._voicing.add(verdict.speech, verdict.caption)
        content = Segment(text=verdict.caption)
        self.contents.append(content)
        self.story.segments.append(SpokenSegment(text))
        self._studio.publish(TurnSegment(**self._ids, segment=voiced.index, content=content))
        return _Stop("fallback", reason)

    async def _playout_answer(self) -> PlayoutFinished | None:
        if not self._voicing.opened:
            return None
        try:
            async with asyncio.timeout(PLAYOUT_ANSWER_S):
                return await self._played
        except TimeoutError:
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
        story.times = StageTimes(**self._times)
        self._step("turn.ended", f"{story.outcome}/{story.reason}")
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

    def _note_heard(self, progress: PlayoutProgress) -> None:
        """Keeps what was heard so far, for the case that playout dies."""
        others = tuple(part for part in self.story.heard if part.segment != progress.heard.segment)
        self.story.heard = (*others, progress.heard)

    def _mark(self, stage: str) -> None:
        if stage not in self._times:
            self._times[stage] = self._elapsed_ms()

    def _step(self, event: str, detail: str = "") -> None:
        self.story.steps.append(Step(self._elapsed_ms(), event, detail))

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self.job.received) * 1000, 2)


def _payload_bytes(frame: bytes) -> int:
    return len(frame) - 4 - int.from_bytes(frame[:4], "little")
