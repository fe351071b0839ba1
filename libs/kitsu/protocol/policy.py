"""Asking the language model."""

from typing import Literal

from kitsu.protocol.envelope import Message, Part


class Line(Part, frozen=True, kw_only=True):
    """One line of a prompt."""

    role: Literal["system", "user", "assistant"]
    text: str


class PolicyPrepare(Message, frozen=True, kw_only=True, tag="policy.prepare"):
    """The character she plays from now on. Sent once after hello and when the character changes.

    `system` is the first line of every prompt, byte for byte, so that the model's prompt cache stays warm.
    """

    character: str
    system: str
    intents: dict[str, "Intent"] = {}


class Intent(Part, frozen=True, kw_only=True):
    """What the demo brain says: examples of what people write, and her own lines for it."""

    examples: tuple[str, ...] = ()  # empty only for the fall-back intent
    lines: tuple[str, ...]


class PolicyRespond(Message, frozen=True, kw_only=True, tag="policy.respond"):
    """Answer this. Streams `policy.delta`, ends with `policy.finished` or `policy.failed`."""

    history: tuple[Line, ...] = ()  # oldest first; what was heard, not what was meant
    prompt: str  # the line to answer, already quoted and labelled as data
    plain: str = ""  # the bare line, for brains that match intents
    max_tokens: int = 220
    temperature: float = 0.8
    schema: str = ""  # JSON schema, as JSON text, that the answer must fit; empty: free text


class PolicyCancel(Message, frozen=True, kw_only=True, tag="policy.cancel"):
    """Stop answering `turn_id`. Answered with `policy.finished{reason: cancelled}` when the request is really gone."""


class PolicyDelta(Message, frozen=True, kw_only=True, tag="policy.delta"):
    """Raw model output, in order. Not fit for anyone's eyes or ears before the gate."""

    text: str


class PolicyFinished(Message, frozen=True, kw_only=True, tag="policy.finished"):
    """The end of an answer."""

    reason: Literal["stop", "length", "cancelled"]
    engine: str
    first_token_ms: float = 0.0  # request sent -> first token, at the worker
    tokens: int = 0  # pieces received; what the engine counts as tokens may differ


class PolicyFailed(Message, frozen=True, kw_only=True, tag="policy.failed"):
    """No answer, or half of one."""

    code: str
    message: str
    retryable: bool = False
    engine: str = ""
