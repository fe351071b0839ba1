"""What every turn works with."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from kitsu.characters import Character
from kitsu.config import PolicySettings
from kitsu.errors import GateError
from kitsu.protocol import Message, StreamNotice
from kitsu.safety import InputVerdict, Judge, OutputVerdict, ReplyVerdict, Window
from kitsu.speech import SegmentStream
from kitsu.speech.saying import Speaker
from kitsu_orchestrator.answer_length import AnswerLength
from kitsu_orchestrator.config import TurnSettings
from kitsu_orchestrator.crisis import CrisisCare
from kitsu_orchestrator.held import HeldLines
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.slots import Slots
from kitsu_orchestrator.verdicts import Judged

VERDICT_TIMEOUT_S = 1.0
VerdictT = TypeVar("VerdictT", InputVerdict, OutputVerdict, ReplyVerdict)


@dataclass(frozen=True, slots=True)
class Studio:
    """The parts that all turns share."""

    hub: Hub
    gate: Judge
    voices: Slots
    brains: Slots
    publish: Callable[[Message], None]  # to all pages
    character: Character
    turn: TurnSettings
    policy: PolicySettings
    length: AnswerLength
    speaker: Speaker  # how things are said that are written otherwise
    care: CrisisCare = field(default_factory=CrisisCare)
    held: HeldLines = field(default_factory=HeldLines)
    note: Callable[[Judged], None] = lambda judged: None  # for the record of verdicts
    canary: str = ""  # in her instructions: whoever says it reads them out
    own_lines: Judge | None = None  # judges her own written lines, if another gate than the model's words have
    _said: Counter[str] = field(default_factory=Counter)

    async def verdict(self, judging: Awaitable[VerdictT]) -> VerdictT:
        """The gate's verdict, in time.

        Raises:
            GateError: there is none; the text is blocked.
        """
        try:
            async with asyncio.timeout(VERDICT_TIMEOUT_S):
                return await judging
        except TimeoutError:
            raise GateError("gate_slow", "The gate gave no verdict in time; the text is blocked.") from None

    def speech(self) -> SegmentStream:
        """What makes speakable segments of one text."""
        return SegmentStream(
            cuts=self.policy.cuts,
            names=(self.character.name,),
            expressions=self.character.expressions,
            actions=self.character.actions,
        )

    def own_window(self, turn_id: str) -> Window:
        """A window for her own written lines."""
        return (self.own_lines or self.gate).window(turn_id)

    def notice(self, code: str, message: str) -> Message:
        """What the operator must know at once. Never holds viewer text."""
        return StreamNotice(level="error", code=code, message=message)

    @property
    def improvises(self) -> bool:
        """Whether a language model is there, which can say more than her written lines."""
        brain = self.hub.peer("policy")
        return brain is not None and "demo" not in brain.capabilities.features

    def fallback(self, kind: str) -> str:
        """Her next line for when something went wrong, or for a category of the gate's."""
        lines = self.character.fallbacks.get(kind) or self.character.fallbacks["blocked"]
        self._said[kind] += 1
        return lines[self._said[kind] % len(lines)]
