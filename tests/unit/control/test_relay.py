"""What reaches the browsers, and what does not."""

import asyncio
from contextlib import suppress

import pytest

from kitsu.protocol import (
    Approved,
    Caption,
    ControlPanic,
    ControlResume,
    HelloAccepted,
    Message,
    Panic,
    PanicConfirmed,
    PlayoutCaption,
    PlayoutFrame,
    PlayoutProgress,
    Question,
    SegmentHeard,
    ShowLevels,
    SinkFlush,
    SinkFlushed,
    SinkOpened,
    SinkPosition,
    Speech,
    TurnEnded,
    TurnStarted,
    decode,
)
from kitsu.protocol.approved import SurfaceName, seal
from kitsu_control.relay import MAX_CONVS, Relay
from kitsu_control.sinks import BrowserSink

KEY = bytes(range(32))
ON_AIR = ShowLevels(mode="live", panic=None)


class Bench:
    """A relay that has joined, what it told the hub, and what each browser got."""

    def __init__(self, levels: ShowLevels = ON_AIR, key: bytes = KEY) -> None:
        self.told: list[Message] = []
        self.relay = Relay(self.told.append)
        self.relay.joined(HelloAccepted(session="s", levels=levels, gens={"stage": 5}, seal_key=key.hex()))

    async def sink(self, *, sound: bool = True) -> BrowserSink:
        sink = BrowserSink("overlay", "stage", sound=sound)
        self.relay.add(sink)
        await got(sink)
        return sink


async def got(sink: BrowserSink) -> list[Message]:
    """Everything that waits for the browser, taken out."""
    frames: list[str | bytes] = []

    async def take(frame: str | bytes) -> None:
        frames.append(frame)

    with suppress(TimeoutError):
        async with asyncio.timeout(0):  # ends at the first wait: when nothing is left
            await sink.outbox.pump(take)
    return [decode(frame).message for frame in frames]


def approved(text: str, surface: SurfaceName, turn_id: str, key: bytes = KEY) -> Approved[Caption]:
    """What only the gate may make; here to test what happens with a seal and without."""
    return Approved(text=text, surface=surface, turn_id=turn_id, seal=seal(key, text, surface, turn_id))


def caption(gen: int = 5, turn_id: str = "t1", key: bytes = KEY) -> PlayoutCaption:
    return PlayoutCaption(
        conv="stage", turn_id=turn_id, gen=gen, segment=0, caption=approved("Hi!", "caption", turn_id, key)
    )


def frame(sink: str, gen: int = 5) -> PlayoutFrame:
    return PlayoutFrame(conv="stage", turn_id="t1", gen=gen, sink=sink, position=0, samples=2)


async def test_only_the_elected_sink_gets_sound() -> None:
    bench = Bench()
    one, two = await bench.sink(), await bench.sink()
    bench.relay.handle(frame(one.id), memoryview(b"\1\0\2\0"))

    async def frames(sink: BrowserSink) -> bytes:
        sent: list[str | bytes] = []

        async def take(data: str | bytes) -> None:
            sent.append(data)
            raise EOFError

        with pytest.raises(EOFError):
            await sink.outbox.pump(take)
        return bytes(decode(sent[0]).payload or b"")

    assert await frames(one) == b"\1\0\2\0"
    assert await frames(two) == b""


async def test_stale_messages_are_dropped() -> None:
    bench = Bench()
    sink = await bench.sink()
    bench.relay.handle(frame(sink.id, gen=4), memoryview(b"\1\0"))
    bench.relay.handle(caption(gen=4), None)
    heard = SegmentHeard(segment=0, chars=1, samples=1, total_samples=1)
    bench.relay.handle(PlayoutProgress(conv="stage", gen=4, heard=heard, position_ms=0, buffered_ms=0), None)
    assert await got(sink) == []
    assert bench.relay.dropped == 3


async def test_a_flush_takes_what_waits_with_it() -> None:
    bench = Bench()
    sink = await bench.sink()
    bench.relay.handle(frame(sink.id), memoryview(b"\1\0"))
    bench.relay.handle(SinkFlush(conv="stage", gen=6), None)
    bench.relay.handle(frame(sink.id, gen=5), memoryview(b"\1\0"))
    assert [type(message) for message in await got(sink)] == [SinkFlush]


async def test_text_without_the_gates_seal_goes_nowhere() -> None:
    bench = Bench()
    sink = await bench.sink()
    bench.relay.handle(caption(key=bytes(32)), None)
    other = approved("Hi!", "caption", "t2")
    bench.relay.handle(PlayoutCaption(conv="stage", turn_id="t1", gen=5, segment=0, caption=other), None)
    spoken: Approved[Speech] = Approved(
        text="Hi!", surface="speech", turn_id="t1", seal=seal(KEY, "Hi!", "speech", "t1")
    )
    bench.relay.handle(PlayoutCaption(conv="stage", turn_id="t1", gen=5, segment=0, caption=spoken), None)  # type: ignore[arg-type]
    question: Approved[Question] = Approved(text="?", surface="question", turn_id="t1", seal="00")
    bench.relay.handle(TurnStarted(conv="stage", turn_id="t1", gen=5, kind="chat", question=question), None)
    assert await got(sink) == []
    bench.relay.handle(caption(), None)
    assert [type(message) for message in await got(sink)] == [PlayoutCaption]


async def test_without_a_key_no_seal_is_good() -> None:
    bench = Bench(key=b"")
    sink = await bench.sink()
    bench.relay.handle(caption(key=b""), None)
    assert await got(sink) == []


async def test_the_seal_key_never_reaches_a_browser() -> None:
    bench = Bench()
    sink = BrowserSink("overlay", "stage", sound=True)
    bench.relay.add(sink)
    (welcome,) = await got(sink)
    assert isinstance(welcome, HelloAccepted)
    assert (welcome.session, welcome.gens, welcome.seal_key) == (sink.id, {"stage": 5}, "")


async def test_a_latecomer_gets_the_running_turn_and_not_the_last_one() -> None:
    bench = Bench()
    bench.relay.handle(caption(turn_id="t1"), None)
    bench.relay.handle(TurnEnded(conv="stage", turn_id="t1", gen=5, outcome="spoken", reason="completed"), None)
    bench.relay.handle(TurnStarted(conv="stage", turn_id="t2", gen=5, kind="chat"), None)
    bench.relay.handle(caption(turn_id="t2"), None)
    late = BrowserSink("overlay", "stage", sound=True)
    bench.relay.add(late)
    assert [message.turn_id for message in await got(late)] == ["", "t2", "t2"]


async def test_sinks_are_announced_again_for_a_playout_that_restarted() -> None:
    bench = Bench()
    sink, mute = await bench.sink(), await bench.sink(sound=False)
    bench.relay.report(sink, SinkPosition(sink="liar", position=7, state="running"))
    bench.relay.report(mute, SinkPosition(sink="liar", position=7, state="running"))
    bench.told.clear()
    bench.relay.announce()
    assert [type(message) for message in bench.told] == [SinkOpened, SinkPosition]
    assert all(getattr(message, "sink", "") == sink.id for message in bench.told)


async def test_panic_is_a_level_here_too() -> None:
    bench = Bench()
    sink = await bench.sink()
    panic = Panic(panic_id="p", pressed_at=100, by="page")
    here = bench.relay.silence(panic)
    assert bench.relay.silence(panic) is here
    bench.relay.handle(frame(sink.id), memoryview(b"\1\0"))
    bench.relay.handle(caption(), None)
    assert [type(message).__name__ for message in await got(sink)] == ["SinkFlush", "ControlLevels"]
    stale = ControlResume(levels=ShowLevels(panic=None, resumed_at=99), gens={"stage": 6})
    bench.relay.handle(stale, None)
    assert bench.relay.levels.panic == panic
    bench.relay.handle(ControlResume(levels=ShowLevels(panic=None, resumed_at=101), gens={"stage": 7}), None)
    await got(sink)
    bench.relay.handle(caption(gen=7), None)
    assert len(await got(sink)) == 1


async def test_confirmations_wait_for_a_hub_that_does_not_know_yet() -> None:
    bench = Bench()
    one, two = await bench.sink(), await bench.sink()
    panic = Panic(panic_id="p", pressed_at=100, by="page")
    here = bench.relay.silence(panic)
    bench.relay.report(one, SinkFlushed(sink="", latency_ms=3.0, panic_id="p"))
    assert not [message for message in bench.told if isinstance(message, PanicConfirmed)]
    assert {one_exit.state for one_exit in here.exits()} == {"confirmed", "pending"}
    bench.relay.handle(ControlPanic(panic=panic, gens={"stage": 6}), None)
    bench.relay.report(two, SinkFlushed(sink="", latency_ms=4.0, panic_id="p"))
    confirmed = [message for message in bench.told if isinstance(message, PanicConfirmed)]
    assert [message.exit for message in confirmed] == [f"overlay:{one.id}", f"overlay:{two.id}", "captions"]
    assert here.settled.is_set()


async def test_a_browser_that_leaves_is_not_called_silent() -> None:
    bench = Bench()
    sink = await bench.sink()
    here = bench.relay.silence(Panic(panic_id="p", pressed_at=100, by="page"))
    bench.relay.remove(sink)
    assert here.settled.is_set()
    assert [one.exit for one in here.exits()] == ["captions"]


async def test_a_panic_that_the_hub_missed_is_handed_back_on_joining() -> None:
    bench = Bench()
    panic = Panic(panic_id="p", pressed_at=100, by="page")
    bench.relay.silence(panic)
    bench.relay.lost()
    again = HelloAccepted(session="s", levels=ON_AIR, gens={}, seal_key=KEY.hex())
    assert bench.relay.joined(again) == panic
    assert bench.relay.levels.panic == panic
    resumed = HelloAccepted(session="s", levels=ShowLevels(panic=None, resumed_at=101), seal_key=KEY.hex())
    assert bench.relay.joined(resumed) is None
    assert bench.relay.levels.panic is None


async def test_conversations_are_bounded() -> None:
    bench = Bench()
    for number in range(MAX_CONVS * 2):
        conv = f"page:{number}"
        bench.relay.handle(TurnStarted(conv=conv, turn_id="t", gen=1, kind="chat"), None)
        bench.relay.handle(TurnEnded(conv=conv, turn_id="t", gen=1, outcome="spoken", reason="completed"), None)
    assert len(bench.relay._gens) <= MAX_CONVS + 1
    assert not bench.relay._pictures


async def test_a_browser_that_stopped_reading_is_let_go() -> None:
    bench = Bench()
    sink = await bench.sink()
    for _ in range(3000):
        bench.relay.handle(TurnStarted(conv="stage", turn_id="t", gen=5, kind="chat"), None)
    assert (sink.closing.is_set(), sink.close_reason) == (True, "too_slow")
