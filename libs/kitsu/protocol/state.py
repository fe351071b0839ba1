"""What pages start from: a snapshot, then deltas (the other messages, with `seq`)."""

from typing import Literal

from kitsu.protocol.approved import Approved, AuthorName, Question
from kitsu.protocol.asr import EarsState
from kitsu.protocol.control import ShowLevels
from kitsu.protocol.envelope import Message, Part
from kitsu.protocol.hub import Capabilities, QueueState
from kitsu.protocol.obs import ObsState
from kitsu.protocol.playout import DeviceState, SegmentHeard, SinkState
from kitsu.protocol.turn import Outcome, Segment, StageTimes, TurnKind


class ServiceState(Part, frozen=True, kw_only=True):
    """One role as the hub sees it."""

    role: str
    connected: bool
    state: Literal["ok", "degraded", "failed", "missing"]
    reason: str = ""
    latency_ms: dict[str, float] = {}
    queues: dict[str, QueueState] = {}
    capabilities: Capabilities = Capabilities()


class TurnState(Part, frozen=True, kw_only=True):
    """A turn as the page shows it."""

    turn_id: str
    conv: str
    kind: TurnKind
    started_at: int  # unix µs
    author: Approved[AuthorName] | None = None
    question: Approved[Question] | None = None
    segments: tuple[Segment, ...] = ()
    heard: tuple[SegmentHeard, ...] = ()
    outcome: Outcome | None = None  # None: still running
    reason: str = ""
    times: StageTimes = StageTimes()


class StateSnapshot(Message, frozen=True, kw_only=True, tag="state.snapshot"):
    """Everything a page needs to draw itself.

    Deltas follow with `seq` + 1, + 2 …; after a gap the next snapshot comes by itself.
    """

    levels: ShowLevels
    character: str
    services: tuple[ServiceState, ...] = ()
    sinks: tuple[SinkState, ...] = ()
    device: DeviceState = DeviceState()
    current: tuple[TurnState, ...] = ()  # running turns
    recent: tuple[TurnState, ...] = ()  # newest last, at most 20
    waiting: int = 0
    dropped: dict[str, int] = {}
    confirmed: tuple["PanicExit", ...] = ()  # of the panic that holds now
    obs: ObsState | None = None  # None: its worker has not said anything yet
    ears: EarsState | None = None  # None: they are not running


class PanicExit(Part, frozen=True, kw_only=True):
    """One exit's answer to the panic that holds now."""

    exit: str
    state: Literal["pending", "confirmed", "late"]  # late: no answer within 1 s; shown red, never assumed silent
    latency_ms: float = 0.0  # press received by the hub -> the exit's last sample or event
    detail: str = ""


class ShowChanged(Message, frozen=True, kw_only=True, tag="show.changed"):
    """Mode, mute or panic changed."""

    levels: ShowLevels
    confirmed: tuple[PanicExit, ...] = ()


class ServiceChanged(Message, frozen=True, kw_only=True, tag="service.changed"):
    """A role came, went or feels different."""

    service: ServiceState


class StreamNotice(Message, frozen=True, kw_only=True, tag="stream.notice"):
    """Something the operator should know. Never holds viewer text."""

    level: Literal["info", "warn", "error"]
    code: str
    message: str
