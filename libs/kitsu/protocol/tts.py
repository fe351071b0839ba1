"""Turning approved text into sound."""

from typing import Literal

from kitsu.protocol.approved import Approved, Speech
from kitsu.protocol.envelope import Message, Part

VisemeName = Literal["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "ih", "oh", "ou"]
"""The 15 Oculus visemes (OVRLipSync `Viseme` enumeration, lower and upper case as there)."""


class Viseme(Part, frozen=True, kw_only=True):
    """A mouth shape that holds until the next one."""

    at: int  # sample position in the segment, at the frame's rate
    viseme: VisemeName
    ipa: str = ""  # the phoneme it was made from


class WordMark(Part, frozen=True, kw_only=True):
    """Where a word starts to sound."""

    at: int  # sample position in the segment, at the frame's rate
    start: int  # code point index into the segment's caption
    end: int


class Rewrite(Part, frozen=True, kw_only=True):
    """A piece that is said otherwise than it is written; places are code point indexes."""

    start: int  # in the speech text
    end: int
    written_start: int  # in the caption
    written_end: int


class TtsSynthesize(Message, frozen=True, kw_only=True, tag="tts.synthesize"):
    """Say this. Streams `tts.audio`, ends with `tts.finished` or `tts.failed`."""

    segment: int
    speech: Approved[Speech]
    rewrites: tuple[Rewrite, ...] = ()  # in order; where the speech text differs from the caption
    voice: str = ""  # empty: the setting's


class TtsUse(Message, frozen=True, kw_only=True, tag="tts.use"):
    """Speak with this from the next segment on. Answered with `tts.using`."""

    engine: str
    voice: str = ""  # empty: the engine's own choice


class TtsUsing(Message, frozen=True, kw_only=True, tag="tts.using"):
    """What became of `tts.use`."""

    engine: str  # who speaks now
    voice: str = ""
    code: str = ""  # why nothing changed; empty when it did
    message: str = ""


class TtsCancel(Message, frozen=True, kw_only=True, tag="tts.cancel"):
    """Stop everything of `turn_id` up to `gen`, or with an empty one everything of the conversation older than `gen`.

    Other turns of the conversation go on. Each segment that was running ends with `tts.finished{reason: cancelled}`.
    """


class TtsAudio(Message, frozen=True, kw_only=True, tag="tts.audio"):
    """Binary. Payload: PCM s16le mono."""

    segment: int
    chunk: int  # 0, 1, 2 … within the segment
    position: int  # samples of the segment before this chunk, at `rate_hz`
    rate_hz: int
    gain_db: float = 0.0  # what playout adds to bring this voice to the show's level
    visemes: tuple[Viseme, ...] = ()  # monotonic; those that start in this chunk (or just after)
    words: tuple[WordMark, ...] = ()  # monotonic; empty if the voice does not know


class TtsFinished(Message, frozen=True, kw_only=True, tag="tts.finished"):
    """The end of a segment's sound."""

    segment: int
    reason: Literal["done", "cancelled"]
    samples: int  # sent in all, at `rate_hz`
    rate_hz: int
    engine: str
    first_chunk_ms: float = 0.0  # request received -> first chunk sent, at the worker


class TtsFailed(Message, frozen=True, kw_only=True, tag="tts.failed"):
    """No sound, or not all of it."""

    segment: int
    code: str
    message: str
    retryable: bool = False
    engine: str = ""
    samples: int = 0  # already sent
