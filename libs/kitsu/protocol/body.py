"""Bodies: what they show, and the link to VTube Studio.

Orchestrator -> bodies: `body.direct` for each segment, then the clock's `playout.frame` (header alone),
`playout.progress`, `playout.finished` and `sink.flush`: a body moves by what is heard, never by what was synthesised.
"""

from typing import Literal

from kitsu.protocol.envelope import Message

VtsLinkState = Literal["off", "unreachable", "asking", "denied", "connected"]


class BodyDirect(Message, frozen=True, kw_only=True, tag="body.direct"):
    """Face and gesture from the moment that a segment begins to sound. Comes before the segment's first frame."""

    segment: int
    expression: str = ""
    action: str = ""
    intensity: float = 1.0  # 0..1


class VtsExpress(Message, frozen=True, kw_only=True, tag="vts.express"):
    """Wear a face or make a gesture of the character's, now. Answered with `vts.done`."""

    word: str


class VtsReset(Message, frozen=True, kw_only=True, tag="vts.reset"):
    """Begin the link anew; asks the user again if they had said no. Answered with `vts.done`."""


class VtsDone(Message, frozen=True, kw_only=True, tag="vts.done"):
    """What became of `vts.express` or `vts.reset`."""

    code: str = ""  # why nothing came of it; empty when it did
    message: str = ""
    confirmed_by: str = ""  # what VTube Studio itself said: "expression state", "hotkey event", "model state"
    latency_ms: float = 0.0  # order received -> confirmed, at the worker


class VtsState(Message, frozen=True, kw_only=True, tag="vts.state"):
    """The link as it is; on change."""

    link: VtsLinkState = "off"
    reason: str = ""  # for people: what is wrong and what to do; empty when connected
    version: str = ""  # of VTube Studio
    model: str = ""  # empty: none is loaded
    wearing: str = ""  # the character's word for the face that shows; empty: neutral
    words: dict[str, str] = {}  # the character's words -> what they do in this model
    missing: tuple[str, ...] = ()  # words that this model has nothing for
