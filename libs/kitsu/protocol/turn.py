"""The life of a turn, as the stream tells it."""

from typing import Literal

from kitsu.protocol.approved import Approved, AuthorName, Caption, Question
from kitsu.protocol.chat import AuthorRole
from kitsu.protocol.envelope import Message, Part

TurnKind = Literal["chat", "topic", "thanks", "say"]  # topic, thanks: she began it herself

Outcome = Literal[
    "spoken", "fallback", "blocked", "held", "dropped", "muted", "interrupted", "expired", "failed", "panic"
]

REASONS: dict[Outcome, frozenset[str]] = {
    "spoken": frozenset({"completed", "capped", "yielded"}),  # capped: turn.max_audio_s or max_tokens ended it
    "fallback": frozenset({"input_gate", "output_gate", "policy_failed", "empty_answer"}),
    "blocked": frozenset({"input_gate", "output_gate", "gate_error"}),
    "held": frozenset({"operator"}),
    "dropped": frozenset(
        {
            "queue_full",
            "duplicate",
            "too_long",
            "empty",
            "flood",
            "off_air",
            "stopped",
            "yielded",
            "removed",
            "cleared",
        }
    ),
    "muted": frozenset({"muted"}),
    "interrupted": frozenset({"skip", "replaced", "client_gone", "removed", "spoken_over"}),
    "expired": frozenset({"stale"}),
    "failed": frozenset({"policy_failed", "voice_failed", "playout_lost", "timeout", "restart", "internal"}),
    "panic": frozenset({"panic"}),
}
"""The one table of how turns end: outcome -> allowed reasons. yielded: she had begun it herself, and a viewer spoke.
spoken_over: somebody spoke into it."""


class Segment(Part, frozen=True, kw_only=True):
    """One approved piece of an answer, with its stage directions."""

    text: Approved[Caption]
    expression: str = ""
    action: str = ""
    intensity: float = 1.0


class TurnQueued(Message, frozen=True, kw_only=True, tag="turn.queued"):
    """A line passed the gate and waits."""

    waiting: int  # turns before it
    again: str = ""  # the turn that was cut before anything of it was heard: its line waits once more


class TurnStarted(Message, frozen=True, kw_only=True, tag="turn.started"):
    """She is thinking about it. Author and line are those of the gate; None where it did not let them through."""

    kind: TurnKind
    author: Approved[AuthorName] | None = None
    author_role: AuthorRole = "viewer"
    question: Approved[Question] | None = None


class TurnSegment(Message, frozen=True, kw_only=True, tag="turn.segment"):
    """A segment was approved and goes to the voice."""

    segment: int
    content: Segment


class StageTimes(Part, frozen=True, kw_only=True):
    """Where the time went, ms after the line came in; 0 where a stage was not reached.

    Negative: it was reached before, since what is said was guessed rightly before it was certain.
    """

    gate_in_ms: float = 0.0
    first_token_ms: float = 0.0
    first_segment_ms: float = 0.0
    first_chunk_ms: float = 0.0
    first_audio_ms: float = 0.0
    endpoint_ms: float = 0.0  # of a spoken line: from its last sample until the line came in


class TurnEnded(Message, frozen=True, kw_only=True, tag="turn.ended"):
    """The end of every turn that was accepted."""

    outcome: Outcome
    reason: str  # one of REASONS[outcome]
    heard: str = ""
    audio_ms: float = 0.0
    times: StageTimes = StageTimes()
    policy_engine: str = ""
    tts_engine: str = ""
