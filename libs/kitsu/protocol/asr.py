"""What is spoken into microphones.

Ears -> hub, per utterance: `asr.speech{started}`, then `asr.partial` …, `asr.speech{stopped}` (and `started` again when
the speaker goes on), and exactly one end: `asr.final`, `asr.command` or `asr.dropped`. Times are ms of the source's own
stream, which began when it was opened; `ago_ms` and `endpoint_ms` are measured by the worker, up to sending.
"""

from typing import Literal

from kitsu.protocol.envelope import Message, Part

EARS_RATE_HZ = 16_000
"""What every source is brought to, and what `playout.reference` comes in."""

ListenMode = Literal["open", "push_to_talk", "wake_word", "off"]
SourceKind = Literal["device", "browser", "file"]
SpeakerRole = Literal["host", "guest"]
VoiceCommand = Literal["mute", "unmute", "skip", "scene", "panic"]
DropReason = Literal[
    "too_short",  # a cough, a click
    "echo",  # it was Kitsu herself
    "nothing",  # the recogniser found no words
    "phantom",  # words that recognisers invent on silence and noise
    "not_addressed",  # wake-word mode, and her name was not said
    "muted",  # the ears were closed while it was spoken
    "panic",
    "source_lost",
    "failed",  # the recogniser did; `asr` says so in `service.error` as well
]


class Speaker(Part, frozen=True, kw_only=True):
    """Whose microphone it is. Nobody is recognised by voice."""

    name: str = ""  # as set for the source
    role: SpeakerRole = "host"


class WordTime(Part, frozen=True, kw_only=True):
    """One recognised word."""

    word: str
    start_ms: float  # of the source's stream
    end_ms: float
    confidence: float = 0.0  # 0 to 1; 0 where the engine does not say


class AsrSpeech(Message, frozen=True, kw_only=True, tag="asr.speech"):
    """Somebody began or ceased to speak, by voice detection alone. Barge-in hangs on `started`."""

    utterance: str
    state: Literal["started", "stopped"]  # stopped: a pause; the utterance ends, or goes on with `started`
    at_ms: float  # first voiced sample; stopped: the last one
    ago_ms: float = 0.0  # how long ago that was
    level_dbfs: float = -120.0  # RMS of the voiced part so far
    echo: float = 0.0  # 0 to 1: how much of the sound was Kitsu's own before it was taken out
    source_id: str = ""
    speaker: Speaker = Speaker()


class AsrPartial(Message, frozen=True, kw_only=True, tag="asr.partial"):
    """What was understood so far. Only the first `stable` code points are a promise: they are never retracted."""

    utterance: str
    revision: int  # 1, 2, 3 …
    text: str
    stable: int = 0
    settled: bool = False  # made after the speaker paused, of everything said: a final would say the same
    complete: bool = False  # it reads like a finished sentence
    language: str = ""  # "en"; empty: not known
    source_id: str = ""
    speaker: Speaker = Speaker()


class AsrFinal(Message, frozen=True, kw_only=True, tag="asr.final"):
    """One utterance, understood."""

    utterance: str
    text: str
    language: str = ""
    confidence: float = 0.0  # 0 to 1; 0 where the engine does not say
    words: tuple[WordTime, ...] = ()  # empty if the engine does not know
    start_ms: float = 0.0  # first and last voiced sample
    end_ms: float = 0.0
    endpoint_ms: float = 0.0  # last voiced sample -> sent: the silence that was waited for, and the recogniser
    silence_ms: float = 0.0  # of that, the wait
    addressed: bool = False  # her name was said, or the talk key held
    echo: float = 0.0  # 0 to 1, see `asr.speech`
    engine: str = ""
    source_id: str = ""
    speaker: Speaker = Speaker()


class AsrCommand(Message, frozen=True, kw_only=True, tag="asr.command"):
    """The utterance was a command of the embedded grammar. From hosts only."""

    utterance: str
    command: VoiceCommand
    argument: str = ""  # scene: its name as in `asr.prepare`
    text: str = ""  # as it was understood
    confidence: float = 0.0
    endpoint_ms: float = 0.0  # last voiced sample -> sent
    source_id: str = ""
    speaker: Speaker = Speaker()


class AsrDropped(Message, frozen=True, kw_only=True, tag="asr.dropped"):
    """The utterance came to nothing: a false interruption, if it was one."""

    utterance: str
    reason: DropReason
    start_ms: float = 0.0
    end_ms: float = 0.0
    source_id: str = ""
    speaker: Speaker = Speaker()


class SourceState(Part, frozen=True, kw_only=True):
    """One source."""

    source_id: str  # "device", "file", or the browser's `mic`
    kind: SourceKind
    conv: str
    label: str = ""
    state: Literal["listening", "waiting", "lost", "ended"] = "listening"  # waiting: off, muted, or the key is not held
    mode: ListenMode = "open"
    speaker: Speaker = Speaker()
    level_dbfs: float = -120.0
    trouble: str = ""  # for people


class EarsState(Part, frozen=True, kw_only=True):
    """How the ears are."""

    configured: bool = False
    muted: bool = False
    engine: str = ""
    sources: tuple[SourceState, ...] = ()
    chosen: str = ""  # microphone of this machine: a name out of `there`, or "default"; empty: none
    there: tuple[str, ...] = ()  # as of the last look
    default: str = ""  # which of them is the system's own
    trouble: str = ""


class AsrState(Message, frozen=True, kw_only=True, tag="asr.state"):
    """On joining, on change, and as the answer to `asr.look`."""

    ears: EarsState


class AsrPrepare(Message, frozen=True, kw_only=True, tag="asr.prepare"):
    """What the ears should know; sent when they join, and on change."""

    name: str = ""  # hers, for wake words and spelling
    scenes: tuple[str, ...] = ()  # that "scene NAME" may name
    phrases: tuple[str, ...] = ()  # words that engines with a hint should spell rightly


class AsrListen(Message, frozen=True, kw_only=True, tag="asr.listen"):
    """How the sources of `conv` listen from now on."""

    mode: ListenMode


class AsrTalk(Message, frozen=True, kw_only=True, tag="asr.talk"):
    """The talk key of `conv` goes down or up. Up ends the utterance at once."""

    pressed: bool


class AsrMute(Message, frozen=True, kw_only=True, tag="asr.mute"):
    """Close the ears or open them; what is being said meanwhile is dropped."""

    muted: bool


class AsrLook(Message, frozen=True, kw_only=True, tag="asr.look"):
    """Look which microphones there are now. Answered with `asr.state`."""


class AsrUse(Message, frozen=True, kw_only=True, tag="asr.use"):
    """Another microphone of this machine from now on. Answered with `asr.using`."""

    device: str  # a name or a part of it, a number, "default"; empty: none
    again: bool = False  # it was accepted before: when it is not there now, wait for it


class AsrUsing(Message, frozen=True, kw_only=True, tag="asr.using"):
    """What became of `asr.use`."""

    device: str  # what is chosen now
    code: str = ""  # why nothing changed; empty when it did
    message: str = ""


class AsrTranscribe(Message, frozen=True, kw_only=True, tag="asr.transcribe"):
    """Binary. Payload: a piece of a sound file (WAV, FLAC, Ogg Opus, MP3 …). Answered with one `asr.transcript`.

    A file is sent in pieces that share `file`, in order; it is worked on when the `last` one is there.
    """

    file: str  # an id
    part: int = 0
    last: bool = True
    language: str = ""  # empty: the setting's, or found out


class AsrTranscript(Message, frozen=True, kw_only=True, tag="asr.transcript"):
    """What is said in a file; `parent_id` is the last piece's.

    Many words come in parts that share `file`, in order; everything else stands in the `last` one.
    """

    file: str
    part: int = 0
    last: bool = True
    text: str = ""
    language: str = ""
    confidence: float = 0.0
    words: tuple[WordTime, ...] = ()
    duration_ms: float = 0.0  # of the sound
    took_ms: float = 0.0
    engine: str = ""
    code: str = ""  # why there is no text; empty when there is. bad_sound_file | file_too_long | ears_busy | …
    message: str = ""


class MicOpened(Message, frozen=True, kw_only=True, tag="mic.opened"):
    """A browser's microphone (through the control door) speaks into `conv`."""

    mic: str
    label: str = ""  # for people
    mode: ListenMode = "open"
    speaker: Speaker = Speaker()


class MicAudio(Message, frozen=True, kw_only=True, tag="mic.audio"):
    """Binary. Payload: PCM s16le mono."""

    mic: str
    position: int  # samples before these, at `rate_hz`
    rate_hz: int


class MicClosed(Message, frozen=True, kw_only=True, tag="mic.closed"):
    """It is gone."""

    mic: str
