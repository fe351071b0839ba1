"""What every brain can do."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from typing import ClassVar, Literal, NamedTuple

from kitsu.config import PolicySettings
from kitsu.errors import EngineError
from kitsu.protocol import PolicyPrepare, PolicyRespond

End = Literal["stop", "length"]


class Piece(NamedTuple):
    """A piece of an answer. The last one has an `end`, and only that one."""

    text: str
    end: End | None = None
    engine: str = ""  # who says it, where that is not the brain that was asked


class Brain(ABC):
    """One engine. Constructing is cheap; `load` connects and warms up.

    Several `answer` may run at once. Closing one (`aclose`, or cancelling the task that reads it) really aborts its
    request and leaves the others alone.
    """

    name: ClassVar[str]
    features: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: PolicySettings) -> None:
        self.settings = settings
        self.trouble = ""  # for people: why the next answer may fail; empty when all is well
        self.on_change: Callable[[], None] = lambda: None  # `active`, `note` or `trouble` changed by itself
        self.on_error: Callable[[EngineError], None] = lambda error: None  # something failed, and was made up for

    @property
    def active(self) -> "Brain":
        """The brain that answers now: another one where this one chooses among several."""
        return self

    @property
    @abstractmethod
    def note(self) -> str:
        """One line for people: what this brain is."""

    @abstractmethod
    async def load(self, stack: AsyncExitStack) -> None:
        """Get ready to answer at once. What is not there yet is `trouble`, never an exception."""

    @abstractmethod
    def prepare(self, order: PolicyPrepare) -> None:
        """Play this character from now on."""

    @abstractmethod
    def answer(self, request: PolicyRespond) -> AsyncGenerator[Piece, None]:
        """The answer, as it is made. After the piece with `end` the generator may still have to tidy up.

        Raises:
            EngineError: `not_prepared`, or the engine's own codes.
        """
