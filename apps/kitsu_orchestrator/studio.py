"""What every turn works with."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from kitsu.characters import Character
from kitsu.characters.character import NEEDED_FALLBACKS
from kitsu.config import PolicySettings
from kitsu.errors import GateError
from kitsu.protocol import Message
from kitsu.safety import InputVerdict, Judge, OutputVerdict, ReplyVerdict
from kitsu.speech import SegmentStream
from kitsu.speech.saying import Speaker
from kitsu_orchestrator.answer_length import AnswerLength
from kitsu_orchestrator.config import TurnSettings
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.slots import Slots

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

    def answers(self, category: str) -> bool:
        """Whether she has lines of her own for what the gate found: then it is not met with silence."""
        return category in self.character.fallbacks and category not in NEEDED_FALLBACKS

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
