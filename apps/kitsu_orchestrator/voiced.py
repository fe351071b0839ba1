"""One segment on its way from approved text to sound."""

import asyncio
from dataclasses import dataclass, field

from kitsu.protocol import Approved, BodyDirect, PlayoutCaption, Rewrite, Speech, TtsFailed, TtsFinished
from kitsu.protocol import Segment as SegmentContent
from kitsu.speech import spoken_ms
from kitsu_orchestrator.lines import TurnIds

End = TtsFinished | TtsFailed


@dataclass(slots=True, eq=False)
class Voiced:
    """What the voice has been asked for, what came of it, and how much of that went on to the clock."""

    index: int
    speech: Approved[Speech]
    content: SegmentContent
    rewrites: tuple[Rewrite, ...] = ()
    frames: asyncio.Queue[tuple[float, bytes] | End] = field(default_factory=asyncio.Queue)  # ms, frame
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    failure: TtsFailed | None = None
    asked: bool = False  # the voice has it
    begun: bool = False  # some of it went on to the clock: it cannot be voiced anew
    rate_hz: int = 48_000
    received_ms: float = 0.0
    forwarded_ms: float = 0.0

    @property
    def expected_ms(self) -> float:
        """Length: measured once known, guessed before."""
        if self.ended.is_set():
            return self.received_ms
        return max(self.received_ms, spoken_ms(self.speech.text))

    def forget_sound(self) -> None:
        """The voice failed in it, and nothing of it went on: it is voiced anew."""
        while not self.frames.empty():
            self.frames.get_nowait()
        self.received_ms = 0.0

    def caption(self, ids: TurnIds) -> PlayoutCaption:
        """Its words, for the clock and whoever shows them as the clock reaches them."""
        content = self.content
        return PlayoutCaption(
            **ids,
            segment=self.index,
            caption=content.text,
            expression=content.expression,
            action=content.action,
            intensity=content.intensity,
        )

    def direction(self, ids: TurnIds) -> BodyDirect | None:
        """What the body does meanwhile; None: nothing in particular."""
        content = self.content
        if not content.expression and not content.action:
            return None
        return BodyDirect(
            **ids,
            segment=self.index,
            expression=content.expression,
            action=content.action,
            intensity=content.intensity,
        )

    def cut_short(self, ids: TurnIds, engine: str) -> TtsFinished:
        """The end of a segment whose voice died: what went on is all there is."""
        samples = round(self.forwarded_ms * self.rate_hz / 1000)
        return TtsFinished(
            **ids, segment=self.index, reason="cancelled", samples=samples, rate_hz=self.rate_hz, engine=engine
        )
