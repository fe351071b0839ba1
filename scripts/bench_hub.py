"""Small messages and sound through the real hub: how long each takes from worker to worker.

Two workers (the roles control and playout) send 4,000 small messages and 400 frames of 20 ms of sound a second through
a launched orchestrator. The time between `send` here and arrival here holds both sockets and this client's own work.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect

from bench.errors import BenchError
from bench.script import Figures, Line, Report, at_most, parser, progress, run
from bench.stack import Place, new_place, running_stack
from bench.stats import p50, p99
from kitsu.protocol import (
    STAGE,
    Hello,
    HelloAccepted,
    PlayoutFrame,
    PlayoutProgress,
    Role,
    SegmentHeard,
    SinkPosition,
    decode,
    encode,
)

SMALL_PER_S = 4000
FRAMES_PER_S = 400
TICK_S = 0.0025  # 10 small messages and one frame at a time
SOUND = bytes(1920)  # 20 ms at 48 kHz
WARM_UP_S = 1.0
STRAGGLERS_S = 1.0
_ID_TEXT, _ID_BYTES = '"id":"', b'"id":"'

Make = Callable[[str, int], str | bytes]  # number, generation -> frame


class Traffic:
    """What was sent and what arrived."""

    def __init__(self, gen: int) -> None:
        self._gen = gen  # of the stage: the hub drops whatever is older
        self.sent: list[float] = []
        self.small: dict[int, float] = {}  # number -> s
        self.frames: dict[int, float] = {}

    async def send(self, socket: ClientConnection, make: Make) -> None:
        """One message under the next number."""
        self.sent.append(time.perf_counter())
        await socket.send(make(str(len(self.sent) - 1), self._gen))

    async def receive(self, socket: ClientConnection) -> None:
        """Take messages until cancelled."""
        while True:
            frame = await socket.recv()
            at = time.perf_counter()
            number = number_of(frame)
            if number is not None and number < len(self.sent):
                taken = self.small if isinstance(frame, str) else self.frames
                taken[number] = at - self.sent[number]


def number_of(frame: str | bytes) -> int | None:
    """The number that `Traffic.send` put into the message's id; None for the hub's own messages."""
    if isinstance(frame, str):
        digits = frame.partition(_ID_TEXT)[2].partition('"')[0]
    else:
        digits = frame[:400].partition(_ID_BYTES)[2].partition(b'"')[0].decode("ascii", "replace")
    return int(digits) if digits.isdecimal() and len(digits) < 12 else None


def position(number: str, gen: int) -> str | bytes:
    """control -> playout."""
    return encode(
        SinkPosition(id=number, conv=STAGE, gen=gen, sink="page-bench", position=int(number), state="running")
    )


def told(number: str, gen: int) -> str | bytes:
    """playout -> control and pages."""
    heard = SegmentHeard(segment=0, chars=12, samples=48_000, total_samples=96_000)
    progressed = PlayoutProgress(id=number, conv=STAGE, gen=gen, heard=heard, position_ms=1.0, buffered_ms=1.0)
    return encode(progressed)


def sound(number: str, gen: int) -> str | bytes:
    """playout -> control."""
    frame = PlayoutFrame(id=number, conv=STAGE, gen=gen, sink="page-bench", position=0, samples=960, segment=0)
    return encode(frame, SOUND)


async def join(place: Place, role: Role) -> tuple[ClientConnection, int]:
    """A worker's connection, welcomed; and the stage's generation.

    Raises:
        BenchError: `refused`.
    """
    socket = await connect(place.network.hub_url, compression=None, max_size=1 << 20, proxy=None)
    await socket.send(encode(Hello(role=role, name=f"bench-{role}", token=place.token())))
    answer = decode(await socket.recv()).message
    if not isinstance(answer, HelloAccepted):
        raise BenchError("refused", f"The hub answered {answer}")
    return socket, answer.gens[STAGE]


async def drive(control: ClientConnection, playout: ClientConnection, traffic: Traffic, seconds: float) -> None:
    """Send at the named rates for so long."""
    began = time.perf_counter()
    for tick in range(round(seconds / TICK_S)):
        for _ in range(round(SMALL_PER_S * TICK_S / 2)):
            await traffic.send(control, position)
            await traffic.send(playout, told)
        for _ in range(round(FRAMES_PER_S * TICK_S)):
            await traffic.send(playout, sound)
        await asyncio.sleep(max(0.0, began + (tick + 1) * TICK_S - time.perf_counter()))


async def measure(*, quick: bool) -> Report:
    """Load the hub and count."""
    seconds = 3.0 if quick else 20.0
    with tempfile.TemporaryDirectory(prefix="kitsu-bench-") as folder:
        place = new_place(Path(folder), {})
        async with running_stack(place, only=("orchestrator",)):
            control, gen = await join(place, "control")
            playout, _ = await join(place, "playout")
            async with control, playout:
                await _loaded(control, playout, gen, WARM_UP_S)
                progress(f"{SMALL_PER_S} messages and {FRAMES_PER_S} frames a second for {seconds:g} s")
                began = time.perf_counter()
                traffic = await _loaded(control, playout, gen, seconds)
                took_s = time.perf_counter() - began - STRAGGLERS_S
    return report(traffic, took_s)


async def _loaded(control: ClientConnection, playout: ClientConnection, gen: int, seconds: float) -> Traffic:
    traffic = Traffic(gen)
    receivers = [asyncio.create_task(traffic.receive(socket)) for socket in (control, playout)]
    await drive(control, playout, traffic, seconds)
    await asyncio.sleep(STRAGGLERS_S)
    for receiver in receivers:
        receiver.cancel()
    await asyncio.gather(*receivers, return_exceptions=True)
    return traffic


def report(traffic: Traffic, took_s: float) -> Report:
    """Figures and table.

    Raises:
        BenchError: `nothing_measured`.
    """
    small, frames = ([s * 1000 for s in taken.values()] for taken in (traffic.small, traffic.frames))
    if not small or not frames:
        raise BenchError("nothing_measured", "Nothing came back from the hub.")
    figures: Figures = {
        "small_ms_p50": round(p50(small), 3),
        "small_ms_p99": round(p99(small), 3),
        "frame_ms_p50": round(p50(frames), 3),
        "frame_ms_p99": round(p99(frames), 3),
        "messages_per_s": round(len(traffic.sent) / took_s, 1),
        "lost": len(traffic.sent) - len(small) - len(frames),
    }
    return Report(figures, LINES)


LINES = (
    Line("small message, worker to worker, ms p50", "small_ms_p50"),
    Line("the same, p99", "small_ms_p99", "<= 30", at_most(30)),
    Line("frame of sound, ms p50", "frame_ms_p50"),
    Line("the same, p99", "frame_ms_p99", "<= 30", at_most(30)),
    Line("messages and frames a second", "messages_per_s"),
    Line("lost", "lost", "0", at_most(0)),
)


def main() -> int:
    arguments = parser(__doc__).parse_args()
    return run(measure(quick=arguments.quick), as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
