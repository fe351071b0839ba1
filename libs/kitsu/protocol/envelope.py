"""What every message carries."""

import secrets
import time
from typing import TypedDict

import msgspec

STAGE = "stage"
"""The conversation that is the show. All others are private and never reach the stage."""


def new_id() -> str:
    """A short random id (16 hex digits)."""
    return secrets.token_hex(8)


def new_turn_id() -> str:
    """A turn's id: sorts by time and is unique over restarts (unix ms in hex, then 40 random bits)."""
    return f"{time.time_ns() // 1_000_000:011x}-{secrets.token_hex(5)}"


def now_us() -> int:
    """Unix time in µs."""
    return time.time_ns() // 1000


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """Base of all messages. `type` is the struct's tag: a dotted, lower-case name.

    Requests are verbs (`tts.synthesize`), answers nouns (`tts.audio`), states past participles (`turn.started`).
    """

    id: str = msgspec.field(default_factory=new_id)
    ts: int = msgspec.field(default_factory=now_us)  # unix µs, for people; measure durations with your own clock
    source: str = ""  # role of the sender; the hub fills it in and overrules what was claimed
    conv: str = ""  # conversation: "stage", "page:…"; empty where a message belongs to none
    turn_id: str = ""
    gen: int = 0  # the conversation's generation; whatever is older than the current one is dropped
    parent_id: str = ""  # id of the message that this one answers
    seq: int = 0  # position in the page stream; 0 elsewhere


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the pieces that messages are made of."""


class Origin(TypedDict):
    """What an answer takes over from its request."""

    conv: str
    turn_id: str
    gen: int
    parent_id: str


def origin_of(request: Message) -> Origin:
    """The envelope of every answer to it: its conversation, turn and generation, and itself as the parent."""
    return {"conv": request.conv, "turn_id": request.turn_id, "gen": request.gen, "parent_id": request.id}


def type_of(message: Message | type[Message]) -> str:
    """The dotted type name of a message or message class."""
    tag = message.__struct_config__.tag
    assert isinstance(tag, str)
    return tag
