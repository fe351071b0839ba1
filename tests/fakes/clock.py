"""A scripted playout (and control door): real wire, virtual time. What is heard moves only when the test says so."""

import asyncio
from dataclasses import dataclass, field
from typing import ClassVar

from kitsu.protocol import (
    STREAM_RATE_HZ,
    ControlLevels,
    ControlPanic,
    ControlResume,
    Message,
    PlayoutCaption,
    PlayoutClose,
    PlayoutFinished,
    PlayoutFlush,
    PlayoutFlushed,
    PlayoutOpen,
    PlayoutPause,
    PlayoutPaused,
    PlayoutProgress,
    PlayoutResume,
    PlayoutSinks,
    PlayoutStarted,
    Role,
    SegmentHeard,
    SinkState,
    TtsAudio,
    TtsFinished,
)
from tests.fakes.workers import PATIENCE_S, FakeWorker, Ids, ids


@dataclass
class Played:
    """One segment at the clock."""

    text: str
    ms: float = 0.0
    complete: bool = False


@dataclass
class Sounding:
    """One opened turn."""

    ids: Ids
    segments: dict[int, Played] = field(default_factory=dict)
    count: int | None = None
    position_ms: float = 0.0
    started: bool = False

    @property
    def came_ms(self) -> float:
        return sum(segment.ms for segment in self.segments.values())

    @property
    def complete(self) -> bool:
        whole = self.count is not None and all(i in self.segments for i in range(self.count))
        return whole and all(segment.complete for segment in self.segments.values())

    def heard(self) -> tuple[SegmentHeard, ...]:
        """Each segment that was begun."""
        found, begin = [], 0.0
        for index, segment in sorted(self.segments.items()):
            ms = min(max(0.0, self.position_ms - begin), segment.ms)
            begin += segment.ms
            if ms > 0:
                found.append(
                    SegmentHeard(
                        segment=index,
                        chars=_chars(segment, ms),
                        samples=round(ms * STREAM_RATE_HZ / 1000),
                        total_samples=round(segment.ms * STREAM_RATE_HZ / 1000),
                    )
                )
        return tuple(found)


def _chars(segment: Played, ms: float) -> int:
    """Whole words only."""
    if segment.complete and ms >= segment.ms:
        return len(segment.text)
    part = segment.text[: int(len(segment.text) * ms / max(segment.ms, 1e-9))]
    return len(part.rpartition(" ")[0])


class FakeClock(FakeWorker):
    """Plays at once what comes; with `held`, only as far as `hear` lets it."""

    role: ClassVar[Role] = "playout"
    exit: ClassVar[str] = "playout"

    def __init__(self, port: int, token: str, *, held: bool = False) -> None:
        super().__init__(port, token)
        self.held = held
        self.paused: set[str] = set()  # conversations
        self.turns: dict[str, Sounding] = {}
        self.most_ahead_ms = 0.0  # sound that came before it could be heard
        self._muted = False

    def begin(self) -> None:
        self.turns.clear()
        self.paused.clear()
        self._muted = self.accepted.levels.muted

    async def react(self, message: Message, payload: memoryview | None) -> None:
        match message:
            case PlayoutOpen():
                self.turns[message.turn_id] = Sounding(ids(message))
            case PlayoutPause():
                self.paused.add(message.conv)
                await self.send(PlayoutPaused(conv=message.conv, gen=message.gen, latency_ms=80.0))
            case PlayoutResume():
                self.paused.discard(message.conv)
                for waiting in list(self.turns.values()):
                    await self._go_on(waiting, message.conv)
            case PlayoutFlush():
                self.paused.discard(message.conv)
                await self._end_all(message.conv, "flushed")
                await self.send(PlayoutFlushed(conv=message.conv, gen=message.gen, latency_ms=0.1))
            case ControlPanic():
                self.paused.clear()
                await self._end_all("", "panic")
            case ControlLevels(levels=levels) | ControlResume(levels=levels):
                self._muted = levels.muted
        turn = self.turns.get(message.turn_id)
        if turn is None:
            return
        match message:
            case PlayoutCaption():
                turn.segments[message.segment] = Played(message.caption.text)
            case TtsAudio():
                assert payload is not None
                turn.segments[message.segment].ms += len(payload) / 2 / message.rate_hz * 1000
                self.most_ahead_ms = max(self.most_ahead_ms, turn.came_ms - turn.position_ms)
                await self._start(turn)
            case TtsFinished():
                turn.segments[message.segment].complete = True
            case PlayoutClose():
                turn.count = message.segments
        if not self.held and message.conv not in self.paused:
            await self._move(turn, turn.came_ms)

    async def _go_on(self, turn: Sounding, conv: str) -> None:
        if turn.ids["conv"] != conv:
            return
        if turn.came_ms:
            await self._start(turn)
        if not self.held:
            await self._move(turn, turn.came_ms)

    async def give_up(self) -> None:
        """A pause has lasted for its whole time."""
        for turn in list(self.turns.values()):
            if turn.ids["conv"] in self.paused:
                await self._end(turn, "paused")
        self.paused.clear()

    async def hear(self, ms: float, turn_id: str = "") -> None:
        """Let a turn (the oldest) be heard up to `ms` after its start, as far as there is sound."""
        turn = self.turns[turn_id] if turn_id else next(iter(self.turns.values()))
        await self._move(turn, min(ms, turn.came_ms))

    async def expect_sound(self, ms: float, turn_id: str) -> None:
        """Wait until so much of a turn has come, or all of it."""

        def came() -> bool:
            turn = self.turns.get(turn_id)
            return turn is not None and (turn.came_ms >= ms or turn.complete)

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(came)

    async def release(self) -> None:
        """Play everything from now on."""
        self.held = False
        for turn in list(self.turns.values()):
            await self._move(turn, turn.came_ms)

    async def open_sink(self, sink: str, *, elected: bool = True) -> None:
        """Say that an overlay listens."""
        state = SinkState(sink=sink, kind="overlay", conv="stage", elected=elected, state="running")
        await self.send(PlayoutSinks(sinks=(state,)))

    async def _start(self, turn: Sounding) -> None:
        if not turn.started and turn.ids["conv"] not in self.paused:
            turn.started = True
            await self.send(PlayoutStarted(**turn.ids, latency_ms=0.1))

    async def _move(self, turn: Sounding, to_ms: float) -> None:
        if to_ms > turn.position_ms:
            turn.position_ms = to_ms
            position, left = turn.position_ms, turn.came_ms - turn.position_ms
            for heard in turn.heard():
                await self.send(PlayoutProgress(**turn.ids, heard=heard, position_ms=position, buffered_ms=left))
        if turn.complete and turn.position_ms >= turn.came_ms:
            await self._end(turn, "played")

    async def _end_all(self, conv: str, reason: str) -> None:
        for turn in list(self.turns.values()):
            if conv in ("", turn.ids["conv"]):
                await self._end(turn, reason)

    async def _end(self, turn: Sounding, reason: str) -> None:
        del self.turns[turn.ids["turn_id"]]
        heard = () if self._muted else turn.heard()
        await self.send(
            PlayoutFinished(
                **turn.ids,
                reason=reason,  # type: ignore[arg-type]  # one of its literals
                heard=heard,
                audio_ms=turn.position_ms,
                muted=self._muted,
            )
        )


class FakeDoor(FakeWorker):
    """The control door: keeps what the overlays would get."""

    role: ClassVar[Role] = "control"
    exit: ClassVar[str] = "captions"
