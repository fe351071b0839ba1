"""The operator's verbs and the levels they set."""

from typing import Literal

from kitsu.protocol.envelope import Message, Part

Mode = Literal["standby", "live"]


class Panic(Part, frozen=True, kw_only=True):
    """A pressed panic button."""

    panic_id: str
    pressed_at: int  # unix µs at the button
    by: str  # "page", "key", "cli", "rest", "launcher", "restart"


class ShowLevels(Part, frozen=True, kw_only=True):
    """What is true until somebody changes it. Sent in `hello.accepted` and on every change.

    The default is the safe one: a process that was told nothing yet is silent.
    """

    mode: Mode = "standby"
    muted: bool = False
    volume: int = 100  # percent, of what goes to the sinks; 100: as loud as the show's level
    topics: bool = True  # she may begin to talk by herself when chat is quiet
    panic: Panic | None = Panic(panic_id="boot", pressed_at=0, by="restart")
    resumed_at: int = 0  # unix µs of the last resume; panics pressed before it are over


class ControlPanic(Message, frozen=True, kw_only=True, tag="control.panic"):
    """Everything silent, now, on every exit. Acted on first, answered with `panic.confirmed`."""

    panic: Panic
    gens: dict[str, int] = {}  # the new generation of each conversation


class ControlResume(Message, frozen=True, kw_only=True, tag="control.resume"):
    """The panic is over: panics pressed up to `levels.resumed_at` no longer count."""

    levels: ShowLevels
    gens: dict[str, int] = {}


class ControlLevels(Message, frozen=True, kw_only=True, tag="control.levels"):
    """Mute, mode, volume or topics changed."""

    levels: ShowLevels


class PanicConfirmed(Message, frozen=True, kw_only=True, tag="panic.confirmed"):
    """One exit is silent. Measured by the exit itself, never assumed."""

    panic_id: str
    exit: str  # "voice" | "brain" | "playout" | "overlay:<sink>" | "captions" | "obs"
    latency_ms: float  # from the exit's receipt of the order to its last sample, frame or event
    detail: str = ""  # "last sample 1.2 ms after the order"


class PanicUnconfirmed(Message, frozen=True, kw_only=True, tag="panic.unconfirmed"):
    """One exit knows that it could not be made silent; shown red at once. It may still be confirmed later."""

    panic_id: str
    exit: str
    detail: str  # what is wrong, for people
