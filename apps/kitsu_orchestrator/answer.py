"""The words of a turn: from the model's deltas (or the operator's line) through the gate to the voice."""

import asyncio
from typing import NamedTuple

from kitsu.errors import GateError
from kitsu.protocol import (
    Line,
    Message,
    Outcome,
    PolicyCancel,
    PolicyDelta,
    PolicyFailed,
    PolicyFinished,
    PolicyRespond,
    Segment,
    TurnSegment,
)
from kitsu.safety import OutputVerdict
from kitsu.speech import RawSegment, SegmentStream
from kitsu.telemetry import log
from kitsu_orchestrator.lines import TurnIds
from kitsu_orchestrator.story import SpokenSegment, Story
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.voicing import Voicing

TRIES = 2


class Ending(NamedTuple):
    """How a turn ends."""

    outcome: Outcome
    reason: str


COMPLETED = Ending("spoken", "completed")
CAPPED = Ending("spoken", "capped")


class Answer:
    """What she says in one turn."""

    def __init__(self, studio: Studio, story: Story, ids: TurnIds, voicing: Voicing) -> None:
        self._studio = studio
        self._story = story
        self._ids = ids
        self._voicing = voicing
        self._window = studio.gate.window(story.turn_id)
        self._speech = self._segmenter()
        self._inbox: asyncio.Queue[PolicyDelta | PolicyFinished | PolicyFailed] = asyncio.Queue()
        self.thinking = False  # the model is at work
        self.segments: list[Segment] = []

    def receive(self, message: PolicyDelta | PolicyFinished | PolicyFailed) -> None:
        """A word from the policy worker."""
        self._inbox.put_nowait(message)

    def policy_lost(self) -> None:
        """The policy worker died."""
        if self.thinking:
            self.receive(PolicyFailed(code="policy_lost", message="the model's process ended", retryable=True))

    async def recite(self, text: str) -> Ending:
        """Say the operator's own words."""
        for segment in (*self._speech.feed(text), *self._speech.finish()):
            if (ending := await self._offer(segment)) is not None:
                return ending
        return COMPLETED if self.segments else Ending("dropped", "empty")

    async def ask(self, prompt: str, plain: str, history: tuple[Line, ...]) -> Ending:
        """Say what the model answers."""
        request = PolicyRespond(
            **self._ids,
            history=history,
            prompt=prompt,
            plain=plain,
            max_tokens=self._studio.policy.max_tokens,
            temperature=self._studio.policy.temperature,
        )
        for tries in range(1, TRIES + 1):
            result = await self._try(request)
            if isinstance(result, Ending):
                return result
            log.warning("turn.policy_failed", turn_id=self._story.turn_id, code=result.code, tries=tries)
            self._story.step("policy.failed", result.code)
            if not result.retryable or self.segments:
                break
        return await self._fall_back("brain_down", Ending("fallback", "policy_failed"))

    async def _try(self, request: PolicyRespond) -> Ending | PolicyFailed:
        hub = self._studio.hub
        if await hub.wait_for("policy", self._studio.turn.worker_grace_s) is None:
            return PolicyFailed(code="policy_missing", message="the model's process is not running")
        hub.send("policy", request)
        self.thinking = True
        try:
            while True:
                message = await self._next()
                if isinstance(message, PolicyFailed):
                    return message
                if (ending := await self._take(message)) is not None:
                    self._stop_model(message)
                    return ending
        finally:
            self.thinking = False

    async def _next(self) -> PolicyDelta | PolicyFinished | PolicyFailed:
        try:
            async with asyncio.timeout(self._studio.turn.think_timeout_s):
                return await self._inbox.get()
        except TimeoutError:
            self._studio.hub.send("policy", PolicyCancel(**self._ids))
            return PolicyFailed(code="policy_timeout", message="no word from the model")

    async def _take(self, message: PolicyDelta | PolicyFinished) -> Ending | None:
        if isinstance(message, PolicyDelta):
            self._story.mark("first_token_ms")
            segments = self._speech.feed(message.text, self._voicing.buffered_ms())
        else:
            self._story.policy_engine = message.engine
            segments = self._speech.finish()
        for segment in segments:
            if (ending := await self._offer(segment)) is not None:
                return ending
        if isinstance(message, PolicyDelta):
            return None
        if not self.segments:
            return await self._fall_back("empty", Ending("fallback", "empty_answer"))
        return CAPPED if message.reason == "length" else COMPLETED

    def _stop_model(self, last: Message) -> None:
        """The answer is over before the model is."""
        if isinstance(last, PolicyDelta):
            self._studio.hub.send("policy", PolicyCancel(**self._ids))

    async def _offer(self, segment: RawSegment) -> Ending | None:
        """Gate(out) for one segment; what it approves goes to the voice in the same tick."""
        if self._voicing.total_ms() >= self._studio.turn.max_audio_s * 1000:
            return CAPPED
        try:
            verdict = await self._studio.verdict(self._window.judge(segment.text))
        except GateError as error:
            self._story.step("gate.error", error.code)
            return Ending("blocked", "gate_error")
        if not verdict.allowed:
            self._story.step("gate.blocked_output", verdict.why.rule)
            return await self._fall_back("blocked", Ending("fallback", "output_gate"))
        self._say(verdict, segment)
        return None

    async def _fall_back(self, kind: str, ending: Ending) -> Ending:
        """Say one of her own lines instead. It passes the gate like everything else, in a window of its own."""
        speech = self._segmenter()
        window = self._studio.gate.window(self._story.turn_id)
        said = 0
        try:
            for segment in (*speech.feed(self._studio.fallback(kind)), *speech.finish()):
                verdict = await self._studio.verdict(window.judge(segment.text))
                if not verdict.allowed:
                    break
                self._say(verdict, segment)
                said += 1
        except GateError as error:
            self._story.step("gate.error", error.code)
        if said:
            return ending
        return Ending("blocked", "output_gate") if kind == "blocked" else Ending("failed", "policy_failed")

    def _segmenter(self) -> SegmentStream:
        character = self._studio.character
        return SegmentStream(
            cuts=self._studio.policy.cuts,
            names=(character.name,),
            expressions=character.expressions,
            actions=character.actions,
        )

    def _say(self, verdict: OutputVerdict, segment: RawSegment) -> None:
        assert verdict.speech is not None
        assert verdict.caption is not None
        self._story.mark("first_segment_ms")
        content = Segment(
            text=verdict.caption, expression=segment.expression, action=segment.action, intensity=segment.intensity
        )
        self._voicing.add(verdict.speech, content)
        self._story.segments.append(
            SpokenSegment(verdict.caption.text, segment.expression, segment.action, segment.intensity)
        )
        self._studio.publish(TurnSegment(**self._ids, segment=len(self.segments), content=content))
        self.segments.append(content)
