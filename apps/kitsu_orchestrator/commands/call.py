"""One use of a command, and how it is refused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kitsu.errors import KitsuError
from kitsu.protocol import STAGE, ChatLine
from kitsu_orchestrator.replies import MICROPHONE


@dataclass(frozen=True, slots=True)
class Call:
    """A command on its way."""

    name: str
    argument: str
    line: ChatLine
    received: float  # s, perf_counter
    conv: str = STAGE  # spoken ones may come from another conversation

    @property
    def door(self) -> str:
        """Where it came in: chat, or mic."""
        return "mic" if self.line.author.platform == MICROPHONE else "chat"


Handler = Callable[[Call], Awaitable[str]]
"""Does a command and returns what happened, in words for chat; empty: nothing to say (yet).

Raises CommandError when it did not happen.
"""


class CommandError(KitsuError):
    """A command was not done; `message` says why, in words for chat. Never holds what was typed."""
