"""The clock of one conversation: what is heard now."""

from collections import deque
from collections.abc import Iterator

from kitsu.protocol import (
    PlayoutClose,
    PlayoutFrame,
    PlayoutOpen,
    PlayoutPaused,
    PlayoutProgress,
    PlayoutStarted,
    SegmentHeard,
    SinkFlush,
    VisemeAt,
    WordAt,
)
from kitsu_playout.clock import StreamClock
from kitsu_playout.config import PlayoutSettings
from kitsu_playout.exits import Exits
from kitsu_playout.mixer import Volume
from kitsu_playout.pause import Pause
from kitsu_playout.segment import Segment
from kitsu_playout.sinks import Sinks
from kitsu_playout.turn import MS, Block, EndReason, Turn

FRAME_MS = 20.0
PROGRESS_S = 0.05


class Conversation:
    """Turns that play one after the other, and the sinks that play them."""

    def __init__(self, conv: str, settings: PlayoutSettings, exits: Exits) -> None:
        self.conv = conv
        self.gen = 0
        self.muted = False
        self.volume = Volume()
        self.sinks = Sinks()
        self.turns: deque[Turn] = deque()  # opened and not yet finished, in order
        self.clock = StreamClock()
        self.pause = Pause()
        self._lead = settings.lead_ms * MS
        self._step = min(FRAME_MS * MS, self._lead / 2)
        self._exits = exits
        self._heard = 0  # stream position that was heard for certain
        self._playing_since = 0.0
        self._next_progress = 0.0

    def turn(self, turn_id: str) -> Turn | None:
        """An open turn."""
        return next((turn for turn in self.turns if turn.turn_id == turn_id), None)

    def open(self, message: PlayoutOpen) -> None:
        """A turn is about to sound."""
        self.turns.append(Turn.opened(message))

    def close(self, turn: Turn, message: PlayoutClose) -> None:
        """No segment follows the first `segments` ones."""
        turn.count = message.segments if turn.count is None else min(turn.count, message.segments)

    def heard(self, now: float) -> int:
        """The stream sample that the audience hears now: the elected sink's, else the clock's."""
        if self.turns and self.turns[0].clock == "offline":
            return self.clock.rendered
        position = min(self.clock.rendered, round(self.clock.at(now) - self.sinks.behind()))
        self._heard = max(self._heard, position)
        return self._heard

    def hold(self, limit_s: float, now: float) -> None:
        """Stand still: nothing more goes out, and what the sinks hold ends softly."""
        fresh = not self.pause.on
        self.pause.begin(limit_s, now)
        turn = self._rendering()
        if fresh and turn is not None and self._sounding(now) and (block := turn.hush()):
            self._emit(turn, block, now, shut=True)
        left_ms = max(0.0, -self.clock.dry_s(now)) * 1000 + self.sinks.behind() / MS if self.turns else 0.0
        gen = self.turns[0].gen if self.turns else self.gen
        self._exits.send(PlayoutPaused(conv=self.conv, gen=gen, latency_ms=round(left_ms, 2)))

    def go_on(self, now: float) -> None:
        """Where it stopped."""
        self.pause.end()
        self.tick(now)

    def flush(self, gen: int, reason: EndReason, now: float, *, panic_id: str = "") -> float:
        """End every turn older than `gen`; nothing of them sounds any more.

        Returns how long the device, if one plays, still sounds (s).
        """
        self.gen = max(self.gen, gen)
        self.pause.end()
        heard = self.heard(now)
        left_s = self._exits.silence(self.conv, self.gen)
        self._exits.send(SinkFlush(conv=self.conv, gen=self.gen, panic_id=panic_id))
        self._drop([turn for turn in self.turns if turn.gen < self.gen], reason, heard, now)
        return left_s

    def lose(self, now: float) -> None:
        """The hub is gone: everything ends here, and whatever comes back begins anew."""
        heard = self.heard(now)
        self.pause.end()
        self._exits.silence(self.conv, self.gen + 1)
        self._drop(list(self.turns), "lost", heard, now)

    def _drop(self, turns: list[Turn], reason: EndReason, heard: int, now: float) -> None:
        if not turns:
            return
        self.turns = deque(turn for turn in self.turns if turn not in turns)
        self._heard = self.clock.rendered  # what lies between was dropped by the sinks
        self.clock.restart(now)
        for turn in turns:
            self._end(turn, reason, heard)

    def tick(self, now: float) -> float | None:
        """Give out what is due. Returns when to come again (None: not before something happens)."""
        if self.pause.is_over(now):
            self.pause.end()
            self._drop([turn for turn in self.turns if turn.clock == "live"], "paused", self.heard(now), now)
        self._render(now)
        if self._sounding(now) and self.sinks.check(self._playing_since, now):
            self._exits.refused(
                "sink_stalled", "the elected sink stopped playing; another one takes over if there is one"
            )
        self._report(now)
        while self.turns and self.turns[0].complete() and (heard := self.heard(now)) >= max(0, self.turns[0].end):
            self._end(self.turns.popleft(), "played", heard)
            self._report(now)
        return self._next_due(now)

    def _render(self, now: float) -> None:
        for turn in self.turns:
            if self.pause.on and turn.clock == "live":
                return
            while room := self._room(turn, now):
                block = turn.read(room, muted=self.muted)
                if block is None:
                    break
                self._emit(turn, block, now)
            if not turn.complete():
                return

    def _room(self, turn: Turn, now: float) -> int:
        """Samples that may go out now."""
        if turn.clock == "offline":
            return round(1000 * MS)
        ahead = max(0.0, -self.clock.dry_s(now)) * 1000 * MS
        return max(0, round(self._lead - ahead))

    def _emit(self, turn: Turn, block: Block, now: float, *, shut: bool = False) -> None:
        """`shut`: the mouth closes with it."""
        late = self.clock.dry_s(now)
        reopened, self.pause.resumed = self.pause.resumed, False
        if late >= 0:
            if turn.start >= 0 and turn.clock == "live" and not reopened:
                turn.stalls += 1
                turn.stall_s += late
            self.clock.restart(now)
            self._playing_since = now
        if turn.start < 0:
            turn.start = self.clock.rendered
            self._next_progress = now
            self._exits.send(self._started(turn, now))
        frame = self._frame(turn, block, reopened=reopened, shut=shut)
        self.clock.rendered += len(block.samples)
        self._exits.played(turn, block.samples)
        if turn.clock == "live" or len(self.sinks):
            self._exits.frame(frame, self.volume.apply(block.samples))

    def _started(self, turn: Turn, now: float) -> PlayoutStarted:
        latency_ms = (now - turn.first_audio_at) * 1000
        return PlayoutStarted(conv=self.conv, turn_id=turn.turn_id, gen=turn.gen, latency_ms=round(latency_ms, 2))

    def _frame(self, turn: Turn, block: Block, *, reopened: bool, shut: bool) -> PlayoutFrame:
        segment, start, end = block.segment, block.at, block.at + len(block.samples)
        words = segment.words_between(start, end)
        shapes = [VisemeAt(at=at - start, viseme=shape) for at, shape in segment.shapes_between(start, end)]
        if reopened:
            shapes.insert(0, VisemeAt(at=0, viseme=segment.shape_at(start)))
        if shut:
            shapes.append(VisemeAt(at=max(0, len(block.samples) - 1), viseme="sil"))
        return PlayoutFrame(
            conv=self.conv,
            turn_id=turn.turn_id,
            gen=turn.gen,
            sink=self.sinks.elected.sink if self.sinks.elected else "",
            position=self.clock.rendered,
            samples=len(block.samples),
            segment=segment.index,
            visemes=tuple(shapes),
            words=tuple(WordAt(at=at - start, segment=segment.index, start=a, end=b) for at, a, b in words),
        )

    def _rendering(self) -> Turn | None:
        """The turn whose sound goes out now."""
        return next((turn for turn in self.turns if not turn.complete()), None)

    def _sounding(self, now: float) -> bool:
        return bool(self.turns) and self.turns[0].start >= 0 and self.clock.dry_s(now) < 0

    def _report(self, now: float) -> None:
        """`playout.progress` when it is time, or when the next segment begins to be heard."""
        turn = self.turns[0] if self.turns else None
        if turn is None or turn.start < 0:
            return
        position = min(max(0, self.heard(now) - turn.start), turn.played)
        segment = turn.segment_at(position)
        if segment is None or (segment.index == turn.sounding and not self._is_due(now)):
            return
        before = turn.segments.get(turn.sounding)
        if before is not None and before is not segment:
            self._tell_progress(turn, before, position, now)  # its last words, too
        turn.sounding = segment.index
        self._next_progress = now + PROGRESS_S
        self._tell_progress(turn, segment, position, now)

    def _tell_progress(self, turn: Turn, segment: Segment, position: int, now: float) -> None:
        in_segment = min(position - segment.begin, segment.played)
        heard = SegmentHeard(segment=segment.index, chars=0, samples=0, total_samples=segment.total)
        self._exits.send(
            PlayoutProgress(
                conv=self.conv,
                turn_id=turn.turn_id,
                gen=turn.gen,
                heard=segment.heard(in_segment) if in_segment else heard,
                position_ms=round(min(turn.played, max(0, self.clock.position(now) - turn.start)) / MS, 1),
                buffered_ms=round((turn.waiting + turn.played - position) / MS, 1),
                viseme=segment.shape_at(in_segment),
            )
        )

    def _is_due(self, now: float) -> bool:
        return (self._sounding(now) and now >= self._next_progress) or self._stopped(now)

    def _stopped(self, now: float) -> bool:
        """A pause has come into effect: what was heard until then is told, once."""
        if not self.pause.on or self.pause.told or now < self._silent_at():
            return False
        self.pause.told = True
        return True

    def _silent_at(self) -> float:
        return self.clock.time_of(self.clock.rendered + self.sinks.behind())

    def _end(self, turn: Turn, reason: EndReason, heard: int) -> None:
        position = min(turn.played, max(0, heard - turn.start)) if turn.start >= 0 else 0
        self._exits.ended(turn.finished(reason, position), position)

    def _next_due(self, now: float) -> float | None:
        due = [self.pause.until] if self.pause.on else []
        if self.pause.on and not self.pause.told and now < self._silent_at():
            due.append(self._silent_at())
        if self.turns and self.turns[0].start >= 0:
            due += self._dues(self.turns[0], now)
        return max(now, min(due)) if due else None

    def _dues(self, turn: Turn, now: float) -> Iterator[float]:
        """What is to be done for the turn that is heard."""
        behind = self.sinks.behind() if turn.clock == "live" else 0.0
        if self._sounding(now):
            yield self._next_progress
            rendering = self._rendering()
            if rendering and rendering.readable() and not (self.pause.on and rendering.clock == "live"):
                yield self.clock.time_of(self.clock.rendered - self._lead + self._step)
            border = turn.next_border(min(max(0, self.heard(now) - turn.start), turn.played))
            if border is not None:
                yield self.clock.time_of(turn.start + border + behind)
        if turn.complete():
            yield self.clock.time_of(turn.end + behind)
