"""Who is listened to, and what all who listen know."""

from collections.abc import Sequence
from dataclasses import dataclass

from kitsu.protocol import SourceKind, Speaker
from kitsu_asr.grammar import Vocabulary

NOBODY = Speaker()
NO_WORDS = Vocabulary()


@dataclass(frozen=True)
class Source:
    """Whose microphone, and whom it speaks to."""

    source_id: str
    kind: SourceKind
    conv: str
    label: str = ""
    speaker: Speaker = NOBODY


@dataclass
class Known:
    """What all listeners know; changed by `asr.prepare`."""

    names: Sequence[str] = ()
    vocabulary: Vocabulary = NO_WORDS
    hints: tuple[str, ...] = ()
