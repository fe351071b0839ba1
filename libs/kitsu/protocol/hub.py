"""Joining the hub, and how a worker tells how it is."""

from typing import Literal

from kitsu.protocol.control import ShowLevels
from kitsu.protocol.envelope import Message, Part

PROTOCOL_VERSION = 1

Role = Literal["orchestrator", "policy", "tts", "playout", "obs", "vts", "twitch", "asr", "control"]


class Capabilities(Part, frozen=True, kw_only=True):
    """What a worker can do. Unknown features are ignored by older hubs."""

    engine: str = ""  # the engine in use
    engines: tuple[str, ...] = ()  # engines it could switch to
    voices: tuple[str, ...] = ()  # of a voice worker: "ENGINE" or "ENGINE/VOICE", those that are installed
    max_parallel: int = 1  # requests it works on at once
    features: tuple[str, ...] = ()  # e.g. "word_marks", "exact_visemes", "demo", "not_configured"
    note: str = ""  # one line for people: "demo brain: her own written lines, no language model"


class Hello(Message, frozen=True, kw_only=True, tag="hello"):
    """First message of every worker. At most 4 KB, within 5 s."""

    role: Role
    name: str  # instance, for people: "tts@gpu-box"
    token: str
    protocol: int = PROTOCOL_VERSION
    capabilities: Capabilities = Capabilities()


class HelloAccepted(Message, frozen=True, kw_only=True, tag="hello.accepted"):
    """The hub's welcome: everything that is a level, so that no late joiner can miss it."""

    session: str
    levels: ShowLevels
    gens: dict[str, int] = {}  # current generation per conversation
    seal_key: str = ""  # hex; empty for roles that let no text out


class HelloRefused(Message, frozen=True, kw_only=True, tag="hello.refused"):
    """Why the hub closes the connection."""

    code: str  # bad_token | bad_protocol | bad_hello | hello_timeout | role_taken | forbidden_type
    message: str


class HubStopping(Message, frozen=True, kw_only=True, tag="hub.stopping"):
    """The hub is stopped or restarted on purpose: its absence is no emergency."""


class QueueState(Part, frozen=True, kw_only=True):
    """One bounded queue."""

    depth: int
    limit: int
    policy: Literal["drop_oldest", "reject", "block"]
    dropped: int = 0  # since the process started


class ServiceHealth(Message, frozen=True, kw_only=True, tag="service.health"):
    """How a worker is; sent on change and every 5 s."""

    state: Literal["ok", "degraded", "failed"]
    reason: str = ""  # for people; empty when ok
    latency_ms: dict[str, float] = {}  # ms by stage, e.g. {"first_chunk_p50": 0.4}
    queues: dict[str, QueueState] = {}
    capabilities: Capabilities = Capabilities()


class ServiceError(Message, frozen=True, kw_only=True, tag="service.error"):
    """Something went wrong in a worker. Never holds viewer text."""

    code: str
    message: str
    retryable: bool = False
