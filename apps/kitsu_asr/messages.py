"""What worker and recogniser's process say to each other."""

from typing import Literal

from msgspec import Struct

from kitsu_asr.engine import Choice, Heard
from kitsu_asr.grammar import Command, Vocabulary


class Order(Struct, omit_defaults=True):
    """To the child."""

    do: Literal["load", "prepare", "open", "feed", "partial", "finish", "drop", "file"]
    id: str = ""  # of the utterance or file
    bytes: int = 0  # of PCM (feed) or of the file, after this line
    language: str = ""
    hints: tuple[str, ...] = ()
    commands: bool = False  # open: listen for commands as well; load: commands will be asked for
    engine: str = ""
    choice: Choice | None = None
    vocabulary: Vocabulary | None = None


class News(Struct, omit_defaults=True):
    """From the child."""

    kind: Literal["loaded", "partial", "final", "error"]
    id: str = ""
    heard: Heard | None = None
    command: Command | None = None
    note: str = ""  # loaded: what it is
    partials: bool = False
    took_ms: float = 0.0
    duration_s: float = 0.0  # of a file
    code: str = ""
    message: str = ""
    retryable: bool = False
