"""Where one turn's time went, from the mocks' journals and the listener's frames.

    total = before (text in -> request at the model) + model, up to the token that completes the first segment
          + between (that token sent -> request at the voice) + voice, up to its first chunk
          + after (that chunk sent -> first frame at the listener)
    overhead = before + between + after: everything that is not engine time for the segment that was chosen.

A cut after N words must see the next token begin, since real tokens split words, and a full stop may be that of an
address. That wait is a choice of where to cut, like waiting for the comma is: `added` leaves it out, `overhead` holds
it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.journal import Row
from bench.replies import tokens_for_segment
from bench.sink import SAMPLES_PER_S, Heard
from bench.speeds import Speeds

AT_ONCE = ",;:!?…"
"""Marks after which no next token need be seen."""


@dataclass(frozen=True, slots=True)
class Split:
    """One turn; all in ms."""

    total_ms: float
    before_ms: float
    between_ms: float
    after_ms: float
    lookahead_ms: float  # part of `between` that waited for the next token to begin
    clause_limit_ms: float
    sentence_limit_ms: float
    first_segment: str

    @property
    def overhead_ms(self) -> float:
        return self.before_ms + self.between_ms + self.after_ms

    @property
    def added_ms(self) -> float:
        """What the toolkit itself cost."""
        return self.overhead_ms - self.lookahead_ms

    @property
    def clause_ratio(self) -> float:
        return self.total_ms / self.clause_limit_ms

    @property
    def sentence_ratio(self) -> float:
        return self.total_ms / self.sentence_limit_ms


def split(
    reply: str, text_in: float, llm: Sequence[Row], tts: Sequence[Row], sound: Sequence[Heard], speeds: Speeds
) -> Split | None:
    """Take a turn apart; None if something of it is missing. `text_in`: perf_counter s."""
    model = next((row for row in llm if row["ev"] == "req"), None)
    voiced = [row for row in tts if row["ev"] == "req" and tokens_for_segment(reply, row["text"])]
    if model is None or not voiced:
        return None
    voice = min(voiced, key=lambda row: float(row["t"]))
    sent = {row["i"]: row["t"] for row in llm if row["ev"] == "tok" and row["id"] == model["id"]}
    last = tokens_for_segment(reply, voice["text"])
    chunk = next((row["t"] for row in tts if row["ev"] == "chunk" and row["id"] == voice["id"] and row["i"] == 1), None)
    heard = next((one.at for one in sound if chunk is not None and one.at >= chunk), None)
    if last is None or last not in sent or chunk is None or heard is None:
        return None
    following = sent.get(last + 1, sent[last])
    waited = reply.split()[last - 1][-1] not in AT_ONCE and voice["t"] >= following
    return Split(
        total_ms=(heard - text_in) * 1000,
        before_ms=(model["t"] - text_in) * 1000,
        between_ms=(voice["t"] - sent[last]) * 1000,
        after_ms=(heard - chunk) * 1000,
        lookahead_ms=(following - sent[last]) * 1000 if waited else 0.0,
        clause_limit_ms=speeds.clause_limit_ms(reply),
        sentence_limit_ms=speeds.sentence_limit_ms(reply),
        first_segment=voice["text"],
    )


def stall_ms(sound: Sequence[Heard]) -> float:
    """Silence that a listener hears who starts to play at the first frame."""
    total, head = 0.0, sound[0].at if sound else 0.0
    for frame in sound:
        if frame.at > head:
            total += frame.at - head
            head = frame.at
        head += frame.samples / SAMPLES_PER_S
    return total * 1000
