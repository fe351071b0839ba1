"""What waits to be sent: order, bounds, flushing, waiting."""

import asyncio
from collections.abc import Awaitable

import pytest

from kitsu.protocol import PolicyDelta, TtsAudio, decode, encode
from kitsu.worker import Outbox
from kitsu.worker.outbox import CONTROL_LIMIT


class Socket:
    """Takes frames one by one, when the test lets it."""

    def __init__(self, *, open_: bool = True) -> None:
        self.sent: list[str | bytes] = []
        self.open = asyncio.Event()
        self.got = asyncio.Condition()
        if open_:
            self.open.set()

    async def send(self, frame: str | bytes) -> None:
        await self.open.wait()
        async with self.got:
            self.sent.append(frame)
            self.got.notify_all()

    async def has(self, count: int) -> list[str | bytes]:
        async with asyncio.timeout(2), self.got:
            await self.got.wait_for(lambda: len(self.sent) >= count)
        return self.sent


async def pumped(outbox: Outbox, socket: Socket, then: Awaitable[object]) -> None:
    """Pump while `then` runs."""
    pump = asyncio.ensure_future(outbox.pump(socket.send))
    try:
        await then
    finally:
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)


async def test_control_goes_before_media_and_each_in_order() -> None:
    outbox, socket = Outbox(), Socket()
    outbox.put_media("stage", 1, b"sound 1")
    outbox.put_media("stage", 1, b"sound 2")
    outbox.put_frame("panic")
    outbox.put_frame("resume")
    await pumped(outbox, socket, socket.has(4))
    assert socket.sent == ["panic", "resume", b"sound 1", b"sound 2"]


async def test_control_overtakes_media_that_already_waits_for_a_slow_peer() -> None:
    outbox, socket = Outbox(), Socket(open_=False)
    for number in range(3):
        outbox.put_media("stage", 1, bytes([number]))

    async def panic() -> None:
        await asyncio.sleep(0)  # the pump holds the first frame now
        outbox.put_frame("panic")
        socket.open.set()
        await socket.has(4)

    await pumped(outbox, socket, panic())
    assert socket.sent == [b"\0", "panic", b"\1", b"\2"]


async def test_the_pump_sleeps_until_there_is_something() -> None:
    outbox, socket = Outbox(), Socket()

    async def later() -> None:
        await asyncio.sleep(0)
        outbox.put(PolicyDelta(text="hi"))
        await socket.has(1)
        outbox.put_media("stage", 0, b"sound")
        await socket.has(2)

    await pumped(outbox, socket, later())
    assert decode(socket.sent[0]).message.turn_id == ""
    assert socket.sent[1] == b"sound"


def test_a_peer_that_stopped_reading_is_noticed() -> None:
    outbox = Outbox()
    assert all(outbox.put_frame("x") for _ in range(CONTROL_LIMIT))
    assert not outbox.put(PolicyDelta(text="one too many"))
    assert outbox.state()["control"].depth == CONTROL_LIMIT


async def test_full_media_loses_its_oldest_and_counts() -> None:
    outbox, socket = Outbox(media_limit=2), Socket()
    for number in range(5):
        outbox.put_media("stage", 1, bytes([number]))
    media = outbox.state()["media"]
    assert (media.depth, media.limit, media.policy, media.dropped) == (2, 2, "drop_oldest", 3)
    await pumped(outbox, socket, socket.has(2))
    assert socket.sent == [b"\3", b"\4"]


async def test_a_waiting_producer_loses_nothing() -> None:
    outbox, socket = Outbox(media_limit=2), Socket()

    async def produce(name: bytes) -> None:
        for number in range(10):
            await outbox.put_waiting("stage", 1, name + bytes([number]))

    both = asyncio.gather(produce(b"a"), produce(b"b"), socket.has(20))
    await pumped(outbox, socket, both)
    assert outbox.dropped == 0
    for name in (b"a", b"b"):
        mine = [frame for frame in socket.sent if isinstance(frame, bytes) and frame.startswith(name)]
        assert mine == [name + bytes([number]) for number in range(10)]


@pytest.mark.parametrize("free", ["flush", "clear"])
async def test_making_room_lets_producers_go_on(free: str) -> None:
    outbox = Outbox(media_limit=1)
    outbox.put_media("stage", 1, b"old")
    waiting = asyncio.ensure_future(outbox.put_waiting("stage", 2, b"new"))
    await asyncio.sleep(0)
    assert not waiting.done()
    if free == "flush":
        outbox.flush("stage", 2)
    else:
        outbox.clear()
    async with asyncio.timeout(2):
        await waiting
    assert outbox.state()["media"].depth == 1


async def test_flush_forgets_only_what_is_stale() -> None:
    outbox, socket = Outbox(), Socket()
    outbox.put_media("stage", 1, b"stale")
    outbox.put_media("page:1", 1, b"another conversation")
    outbox.put_media("stage", 2, b"current")
    outbox.put_frame("control stays")
    outbox.flush("stage", 2)
    await pumped(outbox, socket, socket.has(3))
    assert socket.sent == ["control stays", b"another conversation", b"current"]


async def test_a_dead_socket_ends_the_pump() -> None:
    async def broken(_frame: str | bytes) -> None:
        raise ConnectionResetError

    outbox = Outbox()
    outbox.put_media("stage", 0, encode(TtsAudio(segment=0, chunk=0, position=0, rate_hz=1), b""))
    with pytest.raises(ConnectionResetError):
        await outbox.pump(broken)


async def test_one_turns_media_can_be_forgotten_alone() -> None:
    outbox = Outbox()
    sent: list[str | bytes] = []

    both = asyncio.Event()

    async def send(frame: str | bytes) -> None:
        sent.append(frame)
        if len(sent) == 2:
            both.set()

    for gen, turn in ((1, "running"), (2, "guess"), (2, "next")):
        outbox.put_media("stage", gen, turn, turn)
    outbox.flush("stage", 3, "guess")
    pumping = asyncio.create_task(outbox.pump(send))
    await both.wait()
    pumping.cancel()
    assert sent == ["running", "next"]
