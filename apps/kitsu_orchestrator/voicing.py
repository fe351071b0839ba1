"""From approved segments to sound at the clock: voiced ahead, played in order, never too far ahead.

The voice's frames go to playout unchanged; at most `CREDIT_MS` of sound is on its way to the clock at any time, so that
a flush has little to throw away and no queue can grow.
"""

import asyncio

from kitsu.protocol import (
    STAGE,
    Approved,
    Clock,
    PlayoutClose,
    PlayoutOpen,
    PlayoutProgress,
    Rewrite,
    Speech,
    TtsAudio,
    TtsFailed,
    TtsFinished,
    TtsSynthesize,
    encode,
)
from kitsu.protocol import Segment as SegmentContent
from kitsu.telemetry import log
from kitsu_orchestrator.config import TurnSettings
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.lines import TurnIds
from kitsu_orchestrator.slots import Slots
from kitsu_orchestrator.voiced import End, Voiced

CREDIT_MS = 500.0
LOW_MS = CREDIT_MS / 2  # less than this is on its way: the next chunk goes out, however long it is
MAX_TRIES = 3
MIN_RATE_HZ = 8000


class Voicing:
    """The sound of one turn."""

    def __init__(self, hub: Hub, slots: Slots, settings: TurnSettings, ids: TurnIds, clock: Clock) -> None:
        self._hub = hub
        self._slots = slots
        self._settings = settings
        self._ids = ids
        self._clock = clock
        self.segments: list[Voiced] = []
        self.committed = asyncio.Event()  # before that, nothing reaches the clock
        self.voiced_all = asyncio.Event()
        self.engine = ""
        self.opened = False  # the clock knows this turn and will say how it ended
        self.failure: TtsFailed | None = None
        self._closed = False
        self._forwarding = 0  # the segment that goes to the clock now
        self._winding_down = False  # nothing follows the segment that is being forwarded
        self._asked = asyncio.Event()  # the voice has its first segment (or there will be none)
        self._changed = asyncio.Event()
        self._moved = asyncio.Event()
        self._sent_ms = 0.0
        self._position_ms = 0.0

    def add(self, speech: Approved[Speech], content: SegmentContent, rewrites: tuple[Rewrite, ...] = ()) -> None:
        """Voice this after everything that was added before. `rewrites`: where speech and caption differ."""
        self.segments.append(Voiced(len(self.segments), speech, content, rewrites))
        self._changed.set()

    def close(self) -> None:
        """Nothing more will be added."""
        self._closed = True
        self._changed.set()

    def wind_down(self) -> int:
        """End after the segment that sounds; returns how many there are then."""
        self._winding_down = True
        self.close()
        self._moved.set()
        return self._forwarding + 1

    def buffered_ms(self) -> float:
        """Sound that is still to be played, partly guessed."""
        return max(0.0, sum(segment.expected_ms for segment in self.segments) - self._position_ms)

    def total_ms(self) -> float:
        """Length of everything so far, partly guessed."""
        return sum(segment.expected_ms for segment in self.segments)

    def progressed(self, progress: PlayoutProgress) -> None:
        """The clock moved on."""
        self._position_ms = max(self._position_ms, progress.position_ms)
        self._moved.set()

    def audio(self, message: TtsAudio, frame: bytes) -> None:
        """A chunk from the voice."""
        segment = self._open_segment(message.segment)
        if segment is None or message.rate_hz < MIN_RATE_HZ:
            return
        header = 4 + int.from_bytes(frame[:4], "little")
        ms = (len(frame) - header) / 2 / message.rate_hz * 1000
        segment.rate_hz = message.rate_hz
        segment.received_ms += ms
        segment.frames.put_nowait((ms, frame))

    def ended(self, message: End) -> None:
        """The voice is done with a segment, one way or the other."""
        segment = self._open_segment(message.segment)
        if segment is None:
            return
        segment.failure = message if isinstance(message, TtsFailed) else None
        if isinstance(message, TtsFinished):
            self.engine = message.engine
            segment.frames.put_nowait(message)
        segment.ended.set()
        self._moved.set()

    def voice_lost(self) -> None:
        """The voice's process is gone: everything it was working on has failed."""
        for segment in self.segments:
            self.ended(
                TtsFailed(segment=segment.index, code="voice_lost", message="the voice process ended", retryable=True)
            )

    def _open_segment(self, index: int) -> Voiced | None:
        """A segment that the voice is working on."""
        if not 0 <= index < len(self.segments):
            return None
        segment = self.segments[index]
        return segment if segment.asked and not segment.ended.is_set() else None

    async def run(self) -> None:
        """Voice and forward until everything is on its way to the clock, or `failure` says why not."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._forward_all())
            async with asyncio.TaskGroup() as voices:
                index = 0
                while not self._winding_down and await self._wait_for_segment(index) and self.failure is None:
                    await self._wait_for_room(index)
                    await self._slots.acquire(stage=self._ids["conv"] == STAGE)
                    voice = voices.create_task(self._voice(self.segments[index]))
                    voice.add_done_callback(lambda _: self._slots.release())  # even if it was cancelled unstarted
                    index += 1
            if self.failure is None:
                self.voiced_all.set()

    async def _wait_for_segment(self, index: int) -> bool:
        while len(self.segments) <= index:
            if self._closed:
                return False
            self._changed.clear()
            await self._changed.wait()
        return True

    async def _wait_for_room(self, index: int) -> None:
        """Voice ahead, but not the whole answer at once."""
        limit_ms = self._settings.voice_ahead_s * 1000
        while not self._ending and sum(s.expected_ms - s.forwarded_ms for s in self.segments[:index]) > limit_ms:
            self._moved.clear()
            await self._moved.wait()

    @property
    def _ending(self) -> bool:
        return self._winding_down or self.failure is not None

    async def _voice(self, segment: Voiced) -> None:
        """Voice one segment; a voice that failed is tried again only while nothing of the segment can be heard."""
        tries = 1
        while self.failure is None and (failure := await self._synthesize(segment)) is not None:
            log.warning("turn.voice_failed", code=failure.code, segment=segment.index, tries=tries)
            if segment.begun or not failure.retryable or tries == MAX_TRIES:
                self._fail(failure)
                segment.frames.put_nowait(failure)
                return
            tries += 1
            segment.forget_sound()

    async def _synthesize(self, segment: Voiced) -> TtsFailed | None:
        if await self._hub.wait_for("tts", self._settings.worker_grace_s) is None:
            return TtsFailed(segment=segment.index, code="voice_missing", message="the voice is not running")
        segment.ended.clear()
        request = TtsSynthesize(**self._ids, segment=segment.index, speech=segment.speech, rewrites=segment.rewrites)
        segment.asked = self._hub.send("tts", request)
        self._asked.set()
        await segment.ended.wait()
        return segment.failure

    def _fail(self, failure: TtsFailed) -> None:
        """Nothing more is to be said; segments after the failed one are not waited for."""
        if self.failure is not None:
            return
        self.failure = failure
        self._asked.set()
        self.close()
        self._moved.set()
        for segment in self.segments:
            segment.failure = segment.failure or (None if segment.ended.is_set() else failure)
            segment.ended.set()

    async def _forward_all(self) -> None:
        await self.committed.wait()
        if not await self._wait_for_segment(0):
            return
        await self._asked.wait()  # the clock's own preparations can wait for that
        if await self._hub.wait_for("playout", self._settings.worker_grace_s) is None:
            self._fail(TtsFailed(segment=0, code="playout_missing", message="playout is not running"))
            return
        self._hub.send("playout", PlayoutOpen(**self._ids, clock=self._clock))
        self.opened = True
        index = 0
        whole = True
        while whole and await self._wait_for_segment(index):
            self._forwarding = index
            whole = await self._forward(self.segments[index]) and not self._winding_down
            index += 1
        self._hub.send("playout", PlayoutClose(**self._ids, segments=index))

    async def _forward(self, segment: Voiced) -> bool:
        """Pass a segment on. False: the voice failed in it, nothing may follow."""
        self._tell_caption(segment)
        while True:
            item = await segment.frames.get()
            if isinstance(item, TtsFailed):
                await self._send_media(encode(segment.cut_short(self._ids, self.engine)))
                return False
            if isinstance(item, TtsFinished):
                await self._send_media(encode(item))
                return True
            segment.begun = True
            ms, frame = item
            await self._wait_for_credit(ms)
            await self._send_media(frame)
            segment.forwarded_ms += ms
            self._sent_ms += ms
            self._moved.set()

    def _tell_caption(self, segment: Voiced) -> None:
        """To the clock, and to the overlay that shows the words as the clock reaches them."""
        caption = segment.caption(self._ids)
        self._hub.send("playout", caption)
        self._hub.send("control", caption)
        if self._ids["conv"] != STAGE:
            return
        self._hub.send("obs", caption)
        if (direction := segment.direction(self._ids)) is not None:
            self._hub.send("vts", direction)

    async def _send_media(self, frame: str | bytes) -> None:
        await self._hub.send_media("playout", self._ids["conv"], self._ids["gen"], frame)

    async def _wait_for_credit(self, ms: float) -> None:
        if self._clock == "offline":
            return
        while (ahead := self._sent_ms - self._position_ms) > LOW_MS and ahead + ms > CREDIT_MS:
            self._moved.clear()
            await self._moved.wait()
