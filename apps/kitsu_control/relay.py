"""Between the hub and the browsers: sound, captions and mouth out; positions and confirmations back.

Approved text is forwarded only with the gate's seal on it; whatever is older than its conversation's generation,
or comes while a panic holds, is dropped.
"""

from collections import defaultdict
from collections.abc import Callable

from kitsu.errors import ProtocolError
from kitsu.protocol import (
    STAGE,
    ControlLevels,
    ControlPanic,
    ControlResume,
    HelloAccepted,
    Message,
    Panic,
    PlayoutCaption,
    PlayoutFinished,
    PlayoutFrame,
    PlayoutProgress,
    PlayoutStarted,
    ShowLevels,
    SinkFlush,
    SinkFlushed,
    SinkPosition,
    TurnEnded,
    TurnStarted,
    checked,
    encode,
    type_of,
)
from kitsu.telemetry import log
from kitsu_control.panic import PanicRound
from kitsu_control.picture import Picture
from kitsu_control.sinks import BrowserSink

MAX_CONVS = 256
"""Conversations whose generation is remembered; the one that was first heard of goes first."""


class Relay:
    """All browsers of this door that watch or listen."""

    def __init__(self, tell_hub: Callable[[Message], None]) -> None:
        self._tell_hub = tell_hub
        self.sinks: dict[str, BrowserSink] = {}
        self.levels = ShowLevels()
        self.dropped = 0  # stale or unsealed messages
        self._gens: dict[str, int] = {}
        self._seal_key = b""
        self._pictures: defaultdict[str, Picture] = defaultdict(Picture)
        self._round: PanicRound | None = None

    # the hub's side

    def joined(self, accepted: HelloAccepted) -> Panic | None:
        """The hub's levels count from now on; returns a panic that was pressed here and that the hub missed."""
        self._seal_key = bytes.fromhex(accepted.seal_key)
        self._gens = dict(accepted.gens)
        missed = self.levels.panic if self._pressed_here_after(accepted.levels) else None
        if not missed:
            self.levels = accepted.levels
        self._cut()
        for sink in self.sinks.values():
            sink.tell(self.welcome(sink))
        self.announce()
        return missed

    def lost(self) -> None:
        """The hub is gone: silence, and nothing old when it is back."""
        self._cut()
        for sink in self.sinks.values():
            sink.tell(SinkFlush(conv=sink.conv, gen=self._gens.get(sink.conv, 0)))

    def handle(self, message: Message, payload: memoryview | None) -> None:
        """One message from the hub."""
        match message:
            case PlayoutFrame():
                self._frame(message, payload or memoryview(b""))
            case SinkFlush():
                self._flush(message)
            case ControlPanic():
                self._gens.update(message.gens)
                self.silence(message.panic).known_to_hub()
            case ControlResume(levels=levels, gens=gens):
                self._gens.update(gens)
                self._set_levels(levels)
            case ControlLevels(levels=levels):
                self._set_levels(levels)
            case TurnStarted() | PlayoutCaption():
                if self._fresh(message) and self._sealed(message):
                    self._pictures[message.conv].add(message)
                    self._broadcast(message)
            case PlayoutStarted() | PlayoutProgress():
                if self._fresh(message):
                    self._broadcast(message)
            case PlayoutFinished() | TurnEnded():  # an end is never stale
                self._end(message)
            case _:
                pass  # meant for other workers of this role

    def announce(self) -> None:
        """Tell playout of every sink. Repeated every second: playout may have been restarted."""
        for sink in self.sinks.values():
            if sink.sound:
                self._tell_hub(sink.opened())
                if sink.position:
                    self._tell_hub(sink.position)

    # the browsers' side

    def add(self, sink: BrowserSink) -> None:
        """A browser came."""
        self.sinks[sink.id] = sink
        sink.tell(self.welcome(sink))
        if sink.conv in self._pictures:
            for message in self._pictures[sink.conv].messages():
                sink.tell(message)
        if sink.sound:
            self._tell_hub(sink.opened())

    def remove(self, sink: BrowserSink) -> None:
        """It left."""
        del self.sinks[sink.id]
        if sink.sound:
            self._tell_hub(sink.closed())
        if self._round:
            self._round.gone(sink.id)

    def report(self, sink: BrowserSink, message: SinkPosition | SinkFlushed) -> None:
        """What a browser says, under the name that we gave it."""
        if isinstance(message, SinkFlushed):
            if self._round and message.panic_id == self._round.panic.panic_id:
                self._round.flushed(sink.id, message)
            if sink.sound:
                latency_ms, panic_id = message.latency_ms, message.panic_id
                self._tell_hub(SinkFlushed(conv=sink.conv, sink=sink.id, latency_ms=latency_ms, panic_id=panic_id))
        elif sink.sound:
            sink.position = SinkPosition(
                conv=sink.conv,
                sink=sink.id,
                position=message.position,
                state=message.state,
                underruns=message.underruns,
            )
            self._tell_hub(sink.position)

    def revoke_overlays(self) -> None:
        """The overlay's key changed: whoever came with the old one must come again."""
        for sink in self.sinks.values():
            if sink.kind == "overlay":
                sink.close(4401, "bad_key")

    def silence(self, panic: Panic) -> PanicRound:
        """Everything off on every page, at once. Pressing again what was pressed already changes nothing."""
        if self._round and self._round.panic.panic_id == panic.panic_id:
            return self._round
        self.levels = ShowLevels(
            mode=self.levels.mode, muted=self.levels.muted, panic=panic, resumed_at=self.levels.resumed_at
        )
        self._cut()
        self._round = PanicRound(panic, self.sinks, self._tell_hub)
        for sink in self.sinks.values():
            sink.tell(SinkFlush(conv=sink.conv, gen=self._gens.get(sink.conv, 0), panic_id=panic.panic_id))
        self._broadcast_levels()
        return self._round

    def welcome(self, sink: BrowserSink) -> HelloAccepted:
        """A browser's name and the levels. The seal's key stays here."""
        gen = self._gens.get(sink.conv, 0)
        return HelloAccepted(conv=sink.conv, session=sink.id, levels=self.levels, gens={sink.conv: gen})

    # how

    def _frame(self, frame: PlayoutFrame, payload: memoryview) -> None:
        if not self._fresh(frame):
            return
        bare = encode(frame, b"")
        for sink in self._of(frame.conv):
            whole = sink.id == frame.sink
            sink.outbox.put_media(frame.conv, frame.gen, encode(frame, payload) if whole else bare)

    def _flush(self, flush: SinkFlush) -> None:
        self._note_gen(flush.conv, max(flush.gen, self._gens.get(flush.conv, 0)))
        self._pictures.pop(flush.conv, None)
        if flush.panic_id and self._round and self._round.panic.panic_id == flush.panic_id:
            self._round.known_to_hub()
            return
        for sink in self._of(flush.conv):
            sink.outbox.flush(flush.conv, flush.gen)
            sink.tell(flush)

    def _set_levels(self, levels: ShowLevels) -> None:
        if not self._pressed_here_after(levels):
            self.levels = levels
        self._broadcast_levels()

    def _pressed_here_after(self, levels: ShowLevels) -> bool:
        mine = self.levels.panic
        return mine is not None and levels.panic is None and mine.pressed_at > levels.resumed_at

    def _broadcast_levels(self) -> None:
        for sink in self.sinks.values():
            sink.tell(ControlLevels(conv=sink.conv, levels=self.levels))

    def _fresh(self, message: Message) -> bool:
        gen = self._gens.get(message.conv, 0)
        if message.gen < gen or self.levels.panic:
            self.dropped += 1
            return False
        self._note_gen(message.conv, message.gen)
        return True

    def _note_gen(self, conv: str, gen: int) -> None:
        self._gens[conv] = gen
        if len(self._gens) > MAX_CONVS:
            del self._gens[next(name for name in self._gens if name != STAGE)]

    def _end(self, message: PlayoutFinished | TurnEnded) -> None:
        if message.conv in self._pictures and not self._pictures[message.conv].end(message.turn_id):
            del self._pictures[message.conv]
        self._broadcast(message)

    def _sealed(self, message: TurnStarted | PlayoutCaption) -> bool:
        try:
            if not self._seal_key:
                raise ProtocolError("no_seal_key", "the hub gave no key to check seals with")
            if isinstance(message, PlayoutCaption):
                checked(message.caption, self._seal_key, "caption", message.turn_id)
            else:
                if message.author:
                    checked(message.author, self._seal_key, "author", message.turn_id)
                if message.question:
                    checked(message.question, self._seal_key, "question", message.turn_id)
        except ProtocolError as error:
            self.dropped += 1
            log.error("relay.bad_seal", code=error.code, type=type_of(message), turn_id=message.turn_id)
            return False
        return True

    def _broadcast(self, message: Message) -> None:
        for sink in self._of(message.conv):
            sink.tell(message)

    def _of(self, conv: str) -> list[BrowserSink]:
        return [sink for sink in self.sinks.values() if sink.conv == conv]

    def _cut(self) -> None:
        self._pictures.clear()
        for sink in self.sinks.values():
            sink.outbox.flush(sink.conv, 1 << 62)  # all of it, whatever its generation
