"""Lines on their way to becoming a turn."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TypedDict

from kitsu.protocol import STAGE, Author, Clock, TurnKind, new_turn_id, now_us
from kitsu_orchestrator.cue import Cue
from kitsu_orchestrator.story import Story

MAX_CODE_POINTS = 2000


class TurnIds(TypedDict):
    """What every message of a turn carries."""

    conv: str
    turn_id: str
    gen: int


@dataclass(slots=True, eq=False)
class Job:
    """One accepted line. `done` gets the finished story."""

    text: str
    author: Author
    conv: str = STAGE
    kind: TurnKind = "chat"
    clock: Clock = "live"
    message_id: str = ""
    cue: Cue | None = None  # of a topic or thanks; `text` is its name then
    paid: int = 0
    asked: bool = False  # by a command: her answer may be written into chat
    spoken: bool = False  # into a microphone
    endpoint_ms: float = 0.0  # of a spoken line: from its last sample to the words
    pardoned: bool = False  # the gate held it, and the operator let it through
    again: bool = False  # its first answer was cut before anything was heard
    turn_id: str = field(default_factory=new_turn_id)
    accepted_at: int = field(default_factory=now_us)  # unix µs
    received: float = field(default_factory=time.perf_counter)
    done: asyncio.Future[Story] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def must_survive(self) -> bool:
        """Whether the line is written down before it is accepted: the operator's and paid ones always are."""
        return self.kind == "say" or self.author.role == "operator" or bool(self.paid)

    def once_more(self) -> "Job":
        """The same line for another turn; whoever waits for its end waits for that one's."""
        return replace(self, turn_id=new_turn_id(), again=True)

    def story(self) -> Story:
        """An empty record of what becomes of this line."""
        return Story(
            turn_id=self.turn_id,
            conv=self.conv,
            kind=self.kind,
            accepted_at=self.accepted_at,
            author_role=self.author.role,
            platform=self.author.platform,
            received=self.received,
        )

    def age_s(self) -> float:
        """Seconds since the line came in."""
        return time.perf_counter() - self.received

    def finish(self, story: Story) -> None:
        """Tell whoever waits."""
        if not self.done.done():
            self.done.set_result(story)
