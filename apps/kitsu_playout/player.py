"""All conversations, and the levels that decide whether any of them may sound."""

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
    PlayoutClose,
    PlayoutFlush,
    PlayoutFlushed,
    PlayoutOpen,
    PlayoutPause,
    PlayoutResume,
    PlayoutSinks,
    ShowLevels,
    SinkClosed,
    SinkFlushed,
    SinkOpened,
    SinkPosition,
    TtsAudio,
    TtsFinished,
    checked,
    type_of,
)
from kitsu_playout.config import PlayoutSettings
from kitsu_playout.conversation import Conversation
from kitsu_playout.exits import Exits
from kitsu_playout.segment import Segment
from kitsu_playout.turn import EndReason, Turn

SINKS_EVERY_S = 5.0
MAX_CONVERSATIONS = 64  # idle ones beyond that are forgotten
MAX_TURNS = 64  # open at once in one conversation
MAX_SEGMENTS = 1000  # of one turn
_NO_KEY = b"\0" * 32
_BOOT = ShowLevels()


class Player:
    """Without I/O: `now` tells the time (s), `exits` takes what comes out.

    Silent until `join`: a clock that was told nothing yet must not sound.
    """

    def __init__(self, settings: PlayoutSettings, exits: Exits, now: Callable[[], float]) -> None:
        self.dropped = 0  # stale, orphaned and refused messages
        self._settings = settings
        self._exits = exits
        self._now = now
        self._key = _NO_KEY
        self._panic: Panic | None = _BOOT.panic
        self._resumed_at = 0
        self._muted = False
        self._volume = _BOOT.volume
        self._gens: dict[str, int] = {}
        self._conversations: dict[str, Conversation] = {}
        self._next_sinks = 0.0

    @property
    def panicked(self) -> bool:
        """Nothing may sound."""
        return self._panic is not None

    def join(self, accepted: HelloAccepted) -> None:
        """The hub's levels and generations count from now on."""
        self._key = bytes.fromhex(accepted.seal_key) or _NO_KEY
        self._gens = dict(accepted.gens)
        for conv, conversation in self._conversations.items():
            conversation.gen = self._gens.get(conv, 0)
        mine, self._panic = self._panic, None
        self._set_levels(accepted.levels)
        if mine and mine != _BOOT.panic and mine.pressed_at >= self._resumed_at and mine != self._panic:
            self.press(mine)  # from the launcher, or the hub missed its own
        self._next_sinks = 0.0

    def lose(self) -> None:
        """The hub is gone: silence."""
        now = self._now()
        for conversation in self._conversations.values():
            conversation.lose(now)

    def handle(self, message: Message, payload: memoryview | None) -> None:
        """One message of the hub."""
        match message:
            case TtsAudio() if payload is not None:
                self._audio(message, payload)
            case TtsFinished():
                if segment := self._segment(message, message.segment):
                    segment.finish(message)
                    self._conversation(message.conv).tick(self._now())
            case PlayoutOpen():
                self._open(message)
            case PlayoutCaption():
                self._caption(message)
            case PlayoutClose():
                if turn := self._turn(message):
                    self._conversation(message.conv).close(turn, message)
            case PlayoutFlush():
                self._flush(message)
            case PlayoutPause(limit_ms=limit_ms):
                self._pause(message.conv, limit_ms)
            case PlayoutResume():
                self._conversation(message.conv).go_on(self._now())
            case ControlPanic(panic=panic, gens=gens):
                self._raise_gens(gens)
                self.press(panic)
            case ControlResume(levels=levels, gens=gens):
                self._raise_gens(gens)
                self._set_levels(levels)
            case ControlLevels(levels=levels):
                self._set_levels(levels)
            case SinkOpened() | SinkClosed() | SinkPosition() | SinkFlushed():
                self.sink(message)
            case _:
                self._refuse("unexpected_message", f"playout has no use for {type_of(message)}")

    def sink(self, message: SinkOpened | SinkClosed | SinkPosition | SinkFlushed) -> None:
        """News of a sink, a browser's or the device's."""
        conversation, now = self._conversation(message.conv or STAGE), self._now()
        match message:
            case SinkOpened():
                changed = conversation.sinks.open(message, now)
            case SinkClosed():
                changed = conversation.sinks.close(message.sink, now)
            case SinkPosition():
                changed = conversation.sinks.report(message, conversation.clock, now)
            case SinkFlushed():
                changed = False  # the control door collects these
        if changed:
            self._next_sinks = 0.0

    def press(self, panic: Panic) -> None:
        """Panic, from the hub or straight from the launcher. One that was pressed before the last resume is over."""
        if panic.pressed_at < self._resumed_at:
            self._refuse("stale_panic", "a panic came that was pressed before the last resume")
            return
        received = self._now()
        if self._panic is None or self._panic.pressed_at <= panic.pressed_at:
            self._panic = panic
        left_s = 0.0
        for conv, conversation in self._conversations.items():
            newest = max((turn.gen for turn in conversation.turns), default=-1)
            gen = max(self._gens.get(conv, 0), newest + 1)
            left_s = max(left_s, conversation.flush(gen, "panic", received, panic_id=panic.panic_id))
        self._exits.silent(panic, self._now() - received + left_s)

    def tick(self) -> float | None:
        """Give out what is due. Returns the seconds until the next time."""
        now = self._now()
        due = [at for c in tuple(self._conversations.values()) if (at := c.tick(now)) is not None]
        if now >= self._next_sinks:
            self._next_sinks = now + SINKS_EVERY_S
            self._tell_sinks(now)
        return max(0.0, min([*due, self._next_sinks]) - now)

    def elected(self, conv: str) -> str:
        """The sink that plays, empty when nobody listens."""
        sink = self._conversation(conv).sinks.elected
        return sink.sink if sink else ""

    def _open(self, message: PlayoutOpen) -> None:
        conversation = self._conversation(message.conv)
        if conversation.turn(message.turn_id):
            self._refuse("turn_open", "a turn was opened twice")
            return
        if self.panicked:
            self._refuse_turn(message, "panic")
        elif message.gen < conversation.gen or len(conversation.turns) >= MAX_TURNS:
            self._refuse_turn(message, "flushed")
        else:
            if conversation.turns and message.gen > conversation.gen:
                conversation.flush(message.gen, "flushed", self._now())
            self._raise_gens({message.conv: message.gen})
            conversation.open(message)

    def _refuse_turn(self, message: PlayoutOpen, reason: EndReason) -> None:
        self.dropped += 1
        self._exits.ended(Turn.opened(message).finished(reason, 0), 0)

    def _caption(self, message: PlayoutCaption) -> None:
        turn = self._turn(message)
        if turn is None or message.segment in turn.segments:
            return
        if not 0 <= message.segment < MAX_SEGMENTS:
            self._refuse("bad_segment", f"segment {message.segment} of a turn")
            return
        try:
            caption = checked(message.caption, self._key, "caption", message.turn_id)
        except ProtocolError as error:
            self._refuse(error.code, error.message)
            return
        turn.segments[message.segment] = Segment(message.segment, caption)

    def _audio(self, message: TtsAudio, pcm: memoryview) -> None:
        turn, segment = self._turn(message), self._segment(message, message.segment)
        if turn is None or segment is None:
            return
        if turn.waiting > self._settings.max_buffer_s * 48_000:
            self._refuse("buffer_full", "a turn has more sound waiting than playout.max_buffer_s")
            return
        now = self._now()
        if turn.first_audio_at < 0:
            turn.first_audio_at = now
        settings = self._settings
        if not 8_000 <= message.rate_hz <= 192_000 or not segment.add(
            message, pcm, settings.gain_db, settings.ceiling_db
        ):
            self._refuse("bad_audio", f"a chunk of segment {message.segment} does not fit what came before")
            return
        self._conversation(message.conv).tick(self._now())

    def _flush(self, message: PlayoutFlush) -> None:
        received = self._now()
        self._raise_gens({message.conv: message.gen})
        left_s = self._conversation(message.conv).flush(message.gen, "flushed", received)
        latency_ms = (self._now() - received + left_s) * 1000
        self._exits.send(PlayoutFlushed(conv=message.conv, gen=message.gen, latency_ms=round(latency_ms, 2)))

    def _pause(self, conv: str, limit_ms: float) -> None:
        if limit_ms > 0:  # NaN is not
            self._conversation(conv).hold(limit_ms / 1000, self._now())
        else:
            self._refuse("bad_pause", "a pause without a limit")

    def _turn(self, message: Message) -> Turn | None:
        """The open turn that a message belongs to; anything stale or orphaned is dropped."""
        conversation = self._conversations.get(message.conv)
        turn = conversation.turn(message.turn_id) if conversation else None
        if turn is None or message.gen != turn.gen:
            self.dropped += 1
            return None
        return turn

    def _segment(self, message: Message, index: int) -> Segment | None:
        turn = self._turn(message)
        if turn is None:
            return None
        segment = turn.segments.get(index)
        if segment is None:
            self._refuse("no_caption", "sound came for a segment without an approved caption; it is not played")
        return segment

    def _refuse(self, code: str, message: str) -> None:
        self.dropped += 1
        self._exits.refused(code, message)

    def _conversation(self, conv: str) -> Conversation:
        conversation = self._conversations.get(conv)
        if conversation is None:
            self._forget_idle()
            conversation = self._conversations[conv] = Conversation(conv, self._settings, self._exits)
            conversation.gen = self._gens.get(conv, 0)
            conversation.muted = self._muted
            conversation.volume.percent = self._volume
        return conversation

    def _forget_idle(self) -> None:
        if len(self._conversations) >= MAX_CONVERSATIONS:
            self._conversations = {
                conv: c for conv, c in self._conversations.items() if c.turns or len(c.sinks) or conv == STAGE
            }

    def _set_levels(self, levels: ShowLevels) -> None:
        self._resumed_at = max(self._resumed_at, levels.resumed_at)
        self._muted = levels.muted
        self._volume = levels.volume
        for conversation in self._conversations.values():
            conversation.muted = levels.muted
            conversation.volume.percent = levels.volume
        if self._panic and self._panic.pressed_at < self._resumed_at:
            self._panic = None
        if levels.panic and levels.panic != self._panic and levels.panic.pressed_at >= self._resumed_at:
            self.press(levels.panic)

    def _raise_gens(self, gens: dict[str, int]) -> None:
        for conv, gen in gens.items():
            self._gens[conv] = max(gen, self._gens.get(conv, 0))
            if conversation := self._conversations.get(conv):
                conversation.gen = max(gen, conversation.gen)

    def _tell_sinks(self, now: float) -> None:
        for conversation in self._conversations.values():
            conversation.sinks.expire(now)
        states = [state for conv, c in self._conversations.items() for state in c.sinks.states(conv)]
        self._exits.send(PlayoutSinks(sinks=tuple(states)))
