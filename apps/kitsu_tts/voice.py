"""What every voice can do."""

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from kitsu.errors import EngineError
from kitsu.protocol import Viseme, WordMark
from kitsu_tts.config import TtsSettings

MAX_TEXT = 5_000  # code points; a segment has a few hundred at most
MAX_SOUND_S = 600.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a segment's sound. Sample positions count from the segment's start."""

    pcm: bytes  # s16le mono, whole samples
    rate_hz: int
    visemes: tuple[Viseme, ...] = ()
    words: tuple[WordMark, ...] = ()
    gain_db: float = 0.0  # what playout adds to bring the voice to the show's level
    engine: str = ""  # whose it is


class Voice(ABC):
    """One engine. Constructing is cheap; `load` reads weights and warms up.

    Several `speak` may run at once. Closing one (`aclose`, or cancelling the task that reads it) stops its engine
    within 20 ms and leaves the others alone.
    """

    name: ClassVar[str]
    features: ClassVar[tuple[str, ...]] = ()
    note = ""  # for people: what is worth knowing about the voice that speaks
    default_gain_db: ClassVar[float] = 0.0
    trusted: ClassVar[bool] = False  # it cannot garble, hang or run away: nobody needs to listen to it first

    def __init__(self, settings: TtsSettings) -> None:
        self.settings = settings
        self.trouble = ""  # for people: why the voice may fail; empty when it is well

    @property
    def gain_db(self) -> float:
        """What playout adds to bring this voice to the show's level."""
        return self.default_gain_db if self.settings.gain_db is None else self.settings.gain_db

    @abstractmethod
    async def load(self, stack: AsyncExitStack) -> None:
        """Get ready to speak at once.

        Raises:
            ConfigError: a setting names something that is not there.
        """

    def identity(self, voice: str) -> str | None:
        """Everything but the text that changes the sound of `voice` (empty: the one that speaks now), for the cache.
        None: not worth keeping."""
        return None

    async def choose(self, voice: str) -> None:
        """Speak with this voice from now on, empty: the engine's own choice.

        Raises:
            EngineError: `no_such_voice`; nothing has changed then.
        """
        async with aclosing(self.speak("Hi.", voice)) as chunks:
            async for _ in chunks:
                pass
        self.settings = msgspec.structs.replace(self.settings, voice=voice)

    @abstractmethod
    def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        """The sound of `text`, as it is made. `voice` overrules the setting's.

        Raises:
            EngineError: `nothing_to_say`, `text_too_long`, `no_such_voice`, or the engine's own codes.
        """


def speakable(text: str) -> str:
    """`text` without what no voice can say. Indexes stay: unwanted code points become spaces.

    Raises:
        EngineError: `nothing_to_say`, `text_too_long`.
    """
    if len(text) > MAX_TEXT:
        raise EngineError("text_too_long", f"{len(text)} characters in one segment; the voice takes {MAX_TEXT}")
    clean = "".join(" " if unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn"} else char for char in text)
    if not any(unicodedata.category(char)[0] in "LNS" for char in clean):
        raise EngineError("nothing_to_say", "the segment holds no letter, digit or symbol")
    return clean
