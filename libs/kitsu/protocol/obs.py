"""OBS Studio: the operator's orders to it, and how it is.

Every order gets one `obs.outcome`, with OBS's own event that proved it: its response only says that it listened.
"""

from typing import Literal

from kitsu.protocol.approved import Approved, Surface
from kitsu.protocol.envelope import Message, Part


class ObsText(Surface):
    """What stands in a text source of OBS."""


Held = Literal["", "panic", "alone"]
"""Why OBS is kept on the safe scene: a panic, or the hub was gone too long (then the operator ends it)."""


class ObsInput(Part, frozen=True, kw_only=True):
    """An input of OBS that has sound."""

    name: str
    muted: bool
    volume_db: float = 0.0


class ObsPreset(Part, frozen=True, kw_only=True):
    """A named bundle of steps from configs/obs.yaml."""

    name: str
    texts: tuple[str, ...] = ()  # what it would write into text sources; the gate must seal each before it runs


class ObsState(Message, frozen=True, kw_only=True, tag="obs.state"):
    """OBS as it is now; sent on every change."""

    connected: bool
    configured: bool  # False: there is no password, so nothing is tried
    reason: str = ""  # for people; empty when all is well
    version: str = ""  # "29.0.2, websocket 5.1.0"
    scene: str = ""  # on air
    scenes: tuple[str, ...] = ()  # in OBS's own order
    inputs: tuple[ObsInput, ...] = ()
    recording: bool = False
    streaming: bool = False
    presets: tuple[ObsPreset, ...] = ()
    safe_scene: str = ""
    held: Held = ""


class ObsSwitch(Message, frozen=True, kw_only=True, tag="obs.switch"):
    """Another scene on air."""

    scene: str


class ObsRun(Message, frozen=True, kw_only=True, tag="obs.run"):
    """Run a preset: all its steps in one batch."""

    preset: str
    texts: tuple[Approved[ObsText], ...] = ()  # one for each of the preset's texts, in their order


class ObsWrite(Message, frozen=True, kw_only=True, tag="obs.write"):
    """Text into a text source."""

    input: str
    text: Approved[ObsText]


class ObsReset(Message, frozen=True, kw_only=True, tag="obs.reset"):
    """Drop the connection to OBS and make a new one, at once."""


class ObsRestore(Message, frozen=True, kw_only=True, tag="obs.restore"):
    """The operator says: leave the safe scene that OBS went to while the hub was gone."""


class ObsSetUp(Message, frozen=True, kw_only=True, tag="obs.set_up"):
    """Make what Kitsu needs in the user's OBS. What is there already stays as it is."""

    apply: bool = False  # False: only say what would be made
    overlay_url: str = ""  # with its key; empty: no overlay source is made
    safe_text: Approved[ObsText] | None = None  # what the safe scene says


class ObsStep(Part, frozen=True, kw_only=True):
    """One step of an order."""

    step: str  # "mute Mic"
    state: Literal["done", "already", "planned", "skipped", "unproven", "failed"]  # unproven: OBS sends no event for it
    detail: str = ""  # what went wrong, or what kind of thing it is
    confirmed_by: str = ""  # name of OBS's event; "query": it was so already
    ms: float = 0.0  # order -> that event


class ObsOutcome(Message, frozen=True, kw_only=True, tag="obs.outcome"):
    """What became of an order (`parent_id`)."""

    steps: tuple[ObsStep, ...] = ()
    ms: float = 0.0  # order received -> last event
    code: str = ""  # empty: all was done. no_such_scene | no_such_preset | obs_held | obs_unreachable | …
    message: str = ""
