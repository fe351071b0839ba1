"""The words of a turn: from the model's deltas (or the operator's line) through the gate to the voice."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from kitsu.errors import GateError
from kitsu.protocol import (
    STAGE,
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
from kitsu.safety import OutputVerdict, Why
from kitsu.safety.clean import clean
from kitsu.speech import RawSegment
from kitsu.speech.saying import Spoken
from kitsu.telemetry import log
from kitsu_orchestrator.lines import TurnIds
from kitsu_orchestrator.story import SpokenSegment, Story
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.verdicts import Judged
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

    def __init__(
        self,
        studio: Studio,
        story: Story,
        ids: TurnIds,
        voicing: Voicing,
        tell: Callable[[Message], None],
        note: Callable[[Judged], None],
        halt: Callable[[str], None],
    ) -> None:
        self._studio = studio
        self._tell = tell
        self._note = note
        self._halt = halt
        self._story = story
        self._ids = ids
        self._voicing = voicing
        self._window = studio.gate.window(story.turn_id)
        self._speech = studio.speech()
        self._inbox: asyncio.Queue[PolicyDelta | PolicyFinished | PolicyFailed] = asyncio.Queue()
        self.thinking = False  # the model is at work
        self.over = False  # nothing more is to be said, whatever the model still sends
        self.instead = ""  # said in place of a fallback line
        self.segments: list[Segment] = []

    def receive(self, message: PolicyDelta | PolicyFinished | PolicyFailed) -> None:
        """A word from the policy worker."""
        self._inbox.put_nowait(message)

    def policy_lost(self) -> None:
        """The policy worker died."""
        if self.thinking:
            self.receive(PolicyFailed(code="policy_lost", message="the model's process ended", retryable=True))

    def stop(self) -> None:
        """No more words are needed."""
        if self.thinking:
            self._studio.hub.send("policy", PolicyCancel(**self._ids))

    async def recite(self, text: str) -> Ending:
        """Say the operator's own words."""
        for segment in (*self._speech.feed(text), *self._speech.finish()):
            if (ending := await self._offer(segment)) is not None:
                return ending
        return COMPLETED if self.segments else Ending("dropped", "empty")

    async def ask(self, prompt: str, plain: str, history: tuple[Line, ...]) -> Ending:
        """Say what the model answers."""
        request = self._request(prompt, plain, history)
        for tries in range(1, TRIES + 1):
            result = await self._try(request)
            if isinstance(result, Ending):
                return result
            log.warning("turn.policy_failed", turn_id=self._story.turn_id, code=result.code, tries=tries)
            self._story.step("policy.failed", result.code)
            if not result.retryable or self.segments:
                break
        return await self.fall_back("brain_down", Ending("fallback", "policy_failed"))

    def _request(self, prompt: str, plain: str, history: tuple[Line, ...]) -> PolicyRespond:
        policy, length = self._studio.policy, self._studio.length
        max_tokens = policy.max_tokens
        if self._ids["conv"] == STAGE and length.factor < 1:  # measured on the stage, applied on the stage
            prompt, max_tokens = length.prompt(prompt), length.max_tokens(max_tokens)
            self._story.step("answer.shorter", f"{length.factor:g}")
        return PolicyRespond(
            **self._ids,
            history=history,
            prompt=prompt,
            plain=plain,
            max_tokens=max_tokens,
            temperature=policy.temperature,
        )

    async def _try(self, request: PolicyRespond) -> Ending | PolicyFailed:
        hub, brains = self._studio.hub, self._studio.brains
        await brains.acquire(stage=self._ids["conv"] == STAGE)
        try:
            if await hub.wait_for("policy", self._studio.turn.worker_grace_s) is None:
                return PolicyFailed(code="policy_missing", message="the model's process is not running")
            self._speech = self._studio.speech()
            self.thinking = hub.send("policy", request)
            return await self._listen()
        finally:
            self.thinking = False
            brains.release()

    async def _listen(self) -> Ending | PolicyFailed:
        while True:
            message = await self._next()
            if isinstance(message, PolicyFailed):
                return message
            if (ending := await self._take(message)) is not None:
                if isinstance(message, PolicyDelta):  # the answer is over before the model is
                    self.stop()
                return ending

    async def _next(self) -> PolicyDelta | PolicyFinished | PolicyFailed:
        try:
            async with asyncio.timeout(self._studio.turn.think_timeout_s):
                return await self._inbox.get()
        except TimeoutError:
            self.stop()
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
            return await self.fall_back("empty", Ending("fallback", "empty_answer"))
        return CAPPED if message.reason == "length" else COMPLETED

    async def _offer(self, segment: RawSegment) -> Ending | None:
        """Gate(out) for one segment; what it approves goes to the voice in the same tick."""
        if self.over or self._voicing.total_ms() >= self._studio.turn.max_audio_s * 1000:
            return CAPPED
        spoken = self._studio.speaker.say(clean(segment.text))
        if not any(map(str.isalnum, spoken.text)):
            return None  # only emotes and signs
        try:
            verdict = await self._studio.verdict(self._window.judge(segment.text, spoken.text))
        except GateError as error:
            return self._no_verdict(error, segment.text)
        self._record(verdict.why, verdict.judged)
        if not verdict.allowed:
            self._story.step("gate.blocked_output", verdict.why.rule)
            return await self._blocked(verdict.why)
        self._say(verdict, segment, spoken)
        return None

    async def _blocked(self, why: Why) -> Ending:
        """What is said instead, if anything."""
        if why.action == "replace":
            return await self.fall_back(why.category, Ending("fallback", "output_gate"))
        if why.action == "stop":
            self._halt(why.category)
        return Ending("blocked", "output_gate")

    def _no_verdict(self, error: GateError, text: str) -> Ending:
        self._story.step("gate.error", error.code)
        self._record(Why(rule=f"gate/{error.code}", category="gate", action="drop"), text)
        return Ending("blocked", "gate_error")

    def _record(self, why: Why, text: str) -> None:
        shown = "" if why.action == "allow" else text
        self._note(Judged(self._story.turn_id, self._story.conv, "output", "speech", why, shown))

    async def fall_back(self, kind: str, ending: Ending) -> Ending:
        """Say one of her own lines instead. It passes the gate like everything else, in a window of its own."""
        window = self._studio.own_window(self._story.turn_id)
        speech = self._studio.speech()
        for segment in (*speech.feed(self.instead or self._studio.fallback(kind)), *speech.finish()):
            spoken = self._studio.speaker.say(clean(segment.text))
            try:
                verdict = await self._studio.verdict(window.judge(segment.text, spoken.text))
            except GateError as error:
                return self._no_verdict(error, segment.text)
            self._record(verdict.why, verdict.judged)
            if not verdict.allowed:
                self._story.step("gate.blocked_fallback", verdict.why.rule)
                return Ending("blocked", "output_gate")
            self._say(verdict, segment, spoken)
        return ending

    def _say(self, verdict: OutputVerdict, segment: RawSegment, spoken: Spoken) -> None:
        assert verdict.speech is not None
        assert verdict.caption is not None
        self._story.mark("first_segment_ms")
        content = Segment(
            text=verdict.caption, expression=segment.expression, action=segment.action, intensity=segment.intensity
        )
        same = verdict.speech.text == spoken.text  # as a rule: the gate's own cleaning found nothing more to do
        self._voicing.add(verdict.speech, content, spoken.rewrites if same else ())
        self._story.segments.append(
            SpokenSegment(verdict.caption.text, segment.expression, segment.action, segment.intensity)
        )
        self._tell(TurnSegment(**self._ids, segment=len(self.segments), content=content))
        self.segments.append(content)
