"""The clock: what the audience hears now.

Orchestrator -> playout: `playout.open`, then per segment `playout.caption` and the voice's own `tts.audio`,
`tts.finished` frames unchanged, then `playout.close`. Playout -> everyone: `playout.started`, `playout.progress`,
exactly one `playout.finished` per opened turn. Sinks (overlay, page) get `playout.frame` through hub and control door.
"""

from typing import Literal

from kitsu.protocol.approved import Approved, Caption
from kitsu.protocol.envelope import Message, Part
from kitsu.protocol.tts import VisemeName

STREAM_RATE_HZ = 48_000

Clock = Literal["live", "offline"]


class PlayoutOpen(Message, frozen=True, kw_only=True, tag="playout.open"):
    """A turn is about to sound."""

    clock: Clock = "live"  # "offline": as fast as the sound comes, nobody listens in real time


class PlayoutCaption(Message, frozen=True, kw_only=True, tag="playout.caption"):
    """Text and directive of one segment; comes before the segment's first `tts.audio`."""

    segment: int
    caption: Approved[Caption]
    expression: str = ""
    action: str = ""
    intensity: float = 1.0  # 0..1


class PlayoutClose(Message, frozen=True, kw_only=True, tag="playout.close"):
    """No segment follows the first `segments` ones. The turn finishes when they are played."""

    segments: int


class PlayoutFlush(Message, frozen=True, kw_only=True, tag="playout.flush"):
    """Drop all sound of the conversation older than `gen`, now. Answered with `playout.flushed`."""

    reason: str


class PlayoutPause(Message, frozen=True, kw_only=True, tag="playout.pause"):
    """Somebody speaks into it: the conversation's clock stands still, and whatever comes waits. Answered with
    `playout.paused`.

    What the sinks hold already still sounds (`playout.lead_ms`). `playout.resume` ends it, and so does a newer `gen`;
    after `limit_ms` it ends by itself, and turns that were open finish as `paused`.
    """

    limit_ms: float


class PlayoutResume(Message, frozen=True, kw_only=True, tag="playout.resume"):
    """The clock goes on where it stopped: it was a false interruption."""


class SegmentHeard(Part, frozen=True, kw_only=True):
    """How much of one segment was heard."""

    segment: int
    chars: int  # code points of the caption up to the end of the last word that was begun and at least half heard
    samples: int  # at STREAM_RATE_HZ
    total_samples: int  # known so far


class PlayoutStarted(Message, frozen=True, kw_only=True, tag="playout.started"):
    """First sample of the turn leaves the clock."""

    latency_ms: float  # first `tts.audio` received -> first sample out


class PlayoutProgress(Message, frozen=True, kw_only=True, tag="playout.progress"):
    """While something sounds: every 50 ms, at each segment's start and end, and when a pause has come into effect."""

    heard: SegmentHeard  # the segment that is sounding, or has just ended
    position_ms: float  # of the turn
    buffered_ms: float  # received and not yet heard
    viseme: VisemeName = "sil"


class PlayoutFinished(Message, frozen=True, kw_only=True, tag="playout.finished"):
    """The turn's sound is over, however it ended."""

    reason: Literal["played", "flushed", "paused", "panic", "lost"]  # paused: for longer than its limit
    heard: tuple[SegmentHeard, ...]  # empty when nothing was, or when muted
    audio_ms: float  # played
    muted: bool = False  # some of it was played into silence
    stalls: int = 0  # times the clock ran dry between segments of the turn
    stall_ms: float = 0.0
    wav: str = ""  # file name under artifacts/turns, empty if none was kept
    wav_error: str = ""  # why none was kept


class PlayoutFlushed(Message, frozen=True, kw_only=True, tag="playout.flushed"):
    """The conversation is silent."""

    latency_ms: float  # order received -> last sample out


class PlayoutPaused(Message, frozen=True, kw_only=True, tag="playout.paused"):
    """The conversation is about to be silent, and waits."""

    latency_ms: float  # order received -> last sample out


class WordAt(Part, frozen=True, kw_only=True):
    """A word that starts to sound in this frame."""

    at: int  # stream samples after the frame's position
    segment: int
    start: int  # code point index into the segment's caption
    end: int


class VisemeAt(Part, frozen=True, kw_only=True):
    """A mouth shape that starts in this frame."""

    at: int  # stream samples after the frame's position
    viseme: VisemeName


class PlayoutFrame(Message, frozen=True, kw_only=True, tag="playout.frame"):
    """Binary. Payload: PCM s16le mono at 48 kHz for the elected sink; other sinks get the header alone."""

    sink: str  # the elected sink's id; empty: nobody listens
    position: int  # stream samples since the conversation's clock started
    samples: int
    segment: int = -1  # -1: silence between segments
    visemes: tuple[VisemeAt, ...] = ()
    words: tuple[WordAt, ...] = ()


SinkKind = Literal["overlay", "page", "device"]


class PlayoutMirror(Message, frozen=True, kw_only=True, tag="playout.mirror"):
    """Send `playout.reference` for every live conversation, or cease to."""

    on: bool


class PlayoutReference(Message, frozen=True, kw_only=True, tag="playout.reference"):
    """Binary. Payload: PCM s16le mono at 16 kHz, what `conv` is given to hear. The ears take it out of theirs."""

    position: int  # samples at 16 kHz; stands still while there is nothing to play
    ahead_ms: float = 0.0  # how long after sending its first sample leaves the clock


class SinkOpened(Message, frozen=True, kw_only=True, tag="sink.opened"):
    """A browser (through the control door) can play sound of `conv`."""

    sink: str
    kind: SinkKind
    label: str = ""  # for people


class SinkClosed(Message, frozen=True, kw_only=True, tag="sink.closed"):
    """It is gone."""

    sink: str


class SinkPosition(Message, frozen=True, kw_only=True, tag="sink.position"):
    """What a sink has really played; every 100 ms while it plays, and on change."""

    sink: str
    position: int  # stream samples (see `playout.frame`) that left its speaker
    state: Literal["running", "blocked", "idle"]  # blocked: the browser's autoplay rule holds the sound back
    underruns: int = 0


class SinkFlush(Message, frozen=True, kw_only=True, tag="sink.flush"):
    """Playout -> sinks of `conv`: drop everything older than `gen` and be silent."""

    panic_id: str = ""  # set when this is a panic: the sink confirms with `sink.flushed`


class SinkFlushed(Message, frozen=True, kw_only=True, tag="sink.flushed"):
    """A sink is silent."""

    sink: str
    latency_ms: float  # order received in the browser -> last non-zero sample
    panic_id: str = ""


class SinkState(Part, frozen=True, kw_only=True):
    """One sink, for status."""

    sink: str
    kind: SinkKind
    conv: str
    label: str = ""
    elected: bool = False
    state: Literal["running", "blocked", "idle"] = "idle"
    behind_ms: float = 0.0  # clock minus what it has played
    underruns: int = 0


class PlayoutSinks(Message, frozen=True, kw_only=True, tag="playout.sinks"):
    """Who can hear her; on change and every 5 s."""

    sinks: tuple[SinkState, ...]


class DeviceState(Part, frozen=True, kw_only=True):
    """The machine's sound devices, and the one that plays beside the browsers."""

    chosen: str = ""  # a name out of `there`, or "default"; empty: none, the browsers play
    playing: str = ""  # the one that is open now, by its name; empty: none
    trouble: str = ""  # why the chosen one does not play, or why nothing is known of any
    there: tuple[str, ...] = ()  # names as `playout.use` takes them; as of the last look
    default: str = ""  # which of them the system itself plays on


class PlayoutDevices(Message, frozen=True, kw_only=True, tag="playout.devices"):
    """Sound devices: on joining, on change, and as the answer to `playout.look`."""

    device: DeviceState


class PlayoutLook(Message, frozen=True, kw_only=True, tag="playout.look"):
    """Look which sound devices there are now. Answered with `playout.devices`."""


class PlayoutUse(Message, frozen=True, kw_only=True, tag="playout.use"):
    """Play on this sound device from now on. Answered with `playout.using`."""

    device: str  # a name or a part of it, a number, "default"; empty: none, the browsers play
    again: bool = False  # it was accepted before: when it is not there now, wait for it


class PlayoutUsing(Message, frozen=True, kw_only=True, tag="playout.using"):
    """What became of `playout.use`."""

    device: str  # what is chosen now, by its name, or "default"
    code: str = ""  # why nothing changed; empty when it did
    message: str = ""
