"""What happened in a turn, from its line to its last sample."""

import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kitsu.protocol import Outcome, SegmentHeard, StageTimes, TurnKind
from kitsu.speech import heard_text


@dataclass(slots=True)
class SpokenSegment:
    """One approved segment of the answer."""

    text: str
    expression: str = ""
    action: str = ""
    intensity: float = 1.0


@dataclass(slots=True)
class Step:
    """One event of the story."""

    at_ms: float  # after the line came in
    event: str
    detail: str = ""


@dataclass(slots=True)
class Story:
    """The record of a turn. `text` and `author` are empty unless the gate let them through."""

    turn_id: str
    conv: str
    kind: TurnKind
    accepted_at: int  # unix µs
    author: str = ""
    author_role: str = "viewer"
    platform: str = "local"
    text: str = ""
    segments: list[SpokenSegment] = field(default_factory=list)
    heard: tuple[SegmentHeard, ...] = ()
    outcome: Outcome | None = None
    reason: str = ""
    audio_ms: float = 0.0
    wav: str = ""
    policy_engine: str = ""
    tts_engine: str = ""
    steps: list[Step] = field(default_factory=list)
    again: str = ""  # the turn in which its line is answered after all
    endpoint_ms: float = 0.0  # of a spoken line: from its last sample to the words
    received: float = field(default_factory=time.perf_counter)
    _marks: dict[str, float] = field(default_factory=dict)

    def mark(self, stage: str) -> None:
        """Note when a stage (a field of `StageTimes`) was reached first."""
        if stage not in self._marks:
            self._marks[stage] = self._elapsed_ms()

    def step(self, event: str, detail: str = "") -> None:
        """Note that something happened."""
        self.steps.append(Step(self._elapsed_ms(), event, detail))

    def begin_anew(self) -> None:
        """The line, which was guessed so far, has come in: what was reached already was reached before it."""
        early_ms = self._elapsed_ms()
        self.received = time.perf_counter()
        self._marks = {stage: round(at - early_ms, 2) for stage, at in self._marks.items()}
        for step in self.steps:
            step.at_ms = round(step.at_ms - early_ms, 2)
        self.step("turn.guessed", f"{early_ms:.0f} ms before the words were certain")

    @property
    def times(self) -> StageTimes:
        """Where the time went."""
        return StageTimes(**self._marks, endpoint_ms=self.endpoint_ms)

    @property
    def heard_text(self) -> str:
        """What the audience really heard."""
        by_segment = {part.segment: part.chars for part in self.heard}
        return heard_text((segment.text, by_segment.get(index, 0)) for index, segment in enumerate(self.segments))

    @property
    def full_text(self) -> str:
        """Everything she meant to say."""
        return " ".join(segment.text for segment in self.segments)

    def _elapsed_ms(self) -> float:
        return round((time.perf_counter() - self.received) * 1000, 2)

    def as_json(self) -> dict[str, Any]:
        """The shape of `GET /turns/{id}` and of `kitsu chat --json`."""
        return {
            "turn_id": self.turn_id,
            "conv": self.conv,
            "kind": self.kind,
            "accepted_at": self.accepted_at,
            "author": self.author,
            "author_role": self.author_role,
            "text": self.text,
            "outcome": self.outcome,
            "reason": self.reason,
            "segments": [
                {"text": segment.text, "expression": segment.expression, "action": segment.action}
                for segment in self.segments
            ],
            "heard": self.heard_text,
            "first_audio_ms": self.times.first_audio_ms,
            "audio_ms": self.audio_ms,
            "engine": {"policy": self.policy_engine, "tts": self.tts_engine},
            "times": msgspec.structs.asdict(self.times),
            "wav": self.wav,
            "story": [{"at_ms": step.at_ms, "event": step.event, "detail": step.detail} for step in self.steps],
        }
