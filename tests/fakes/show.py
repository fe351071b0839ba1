"""A scripted show behind a control door: Kitsu hums a tone for each word, with captions, mouth shapes and panic.

Run it alone to look at the pages: `.venv/bin/python -m tests.fakes.show` prints both addresses.
"""

import asyncio
import math
import struct
import time
from dataclasses import dataclass
from typing import Any

import msgspec

from kitsu.protocol import (
    Approved,
    Capabilities,
    ControlLevels,
    ControlPanic,
    ControlResume,
    DeviceState,
    Message,
    Panic,
    PanicConfirmed,
    PanicExit,
    PlayoutCaption,
    PlayoutDevices,
    PlayoutFinished,
    PlayoutFrame,
    PlayoutProgress,
    PlayoutSinks,
    Segment,
    SegmentHeard,
    ServiceState,
    ShowChanged,
    SinkClosed,
    SinkFlush,
    SinkOpened,
    SinkPosition,
    SinkState,
    StageTimes,
    StateSnapshot,
    TurnEnded,
    TurnSegment,
    TurnStarted,
    TurnState,
    VisemeAt,
    VisemeName,
    WordAt,
    now_us,
)
from kitsu.protocol.approved import SurfaceName, seal
from tests.fakes.hub import SEAL_KEY
from tests.fakes.orchestrator import Asked, FakeOrchestrator

RATE = 48_000
FRAME = 960
WORD_S = 0.26
LEAD_S = 0.08
MOUTHS: tuple[VisemeName, ...] = ("aa", "E", "PP", "oh", "ih", "SS", "ou", "DD")
ANSWER = (
    ("Hehe, hello there!", "smile"),
    ("I'm Kitsu, your slightly chaotic fox,", ""),
    ("and yes, I did just knock over my tea again.", "surprised"),
)
DEVICES = ("Speakers (Realtek(R) Audio), Windows WASAPI", "Headset (2- USB Audio Device), Windows WASAPI")
SERVICES = (
    ("policy", "scripted", "demo brain: her own written lines, no language model"),
    ("tts", "espeak", ""),
    ("playout", "", ""),
    ("control", "", ""),
)


def approved(text: str, surface: SurfaceName, turn_id: str) -> Approved[Any]:
    """Stands in for the gate."""
    return Approved(text=text, surface=surface, turn_id=turn_id, seal=seal(SEAL_KEY, text, surface, turn_id))


@dataclass(frozen=True)
class Word:
    """A word of a segment, with its place in the caption."""

    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """Where each word is."""
    found, at = [], 0
    for part in text.split(" "):
        found.append(Word(at, at + len(part)))
        at += len(part) + 1
    return found


def hum(position: int) -> bytes:
    """One frame of a 440 Hz tone at a quarter of full scale."""
    return struct.pack(
        f"<{FRAME}h", *(int(8000 * math.sin(2 * math.pi * 440 * (position + i) / RATE)) for i in range(FRAME))
    )


class ScriptedShow(FakeOrchestrator):
    """Answers every chat line with ANSWER; knows mute, skip, panic, resume, live, standby, volume, device."""

    def __init__(self, answer: tuple[tuple[str, str], ...] = ANSWER) -> None:
        super().__init__()
        self.answer = answer
        self.gen = 1
        self.gens = {"stage": 1}
        self.sinks: dict[str, SinkState] = {}
        self.confirmed: dict[str, PanicExit] = {}
        self.recent: list[TurnState] = []
        self.device = DeviceState(there=DEVICES, default=DEVICES[0])
        self.turns = 0
        self.answers |= {"GET /safety/verdicts": (200, []), "GET /safety/held": (200, [])}
        self.playing = asyncio.Event()
        self._seen = 0
        self._began = time.perf_counter()
        self._turn: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._picture()

    async def __aexit__(self, *exc_info: object) -> None:
        for task in self._tasks:
            task.cancel()
        await super().__aexit__(*exc_info)

    # what comes in

    async def on_request(self, asked: Asked) -> None:
        match asked.path:
            case "/chat" | "/say":
                self.answers[f"POST {asked.path}"] = (202, {"turn_id": f"t{self.turns + 1}"})
                body = asked.json()
                self._start(self._play(body.get("author", "You"), body["text"], asked.path == "/say"))
            case "/control/panic":
                await self._panic(asked.json())
            case "/control/skip":
                await self._cut(SinkFlush(conv="stage", gen=self.gen + 1))
            case "/control/resume":
                self.gen += 1
                self.confirmed.clear()
                await self._levels(panic=None, resumed_at=now_us())
                await self.send(ControlResume(levels=self.levels, gens={"stage": self.gen}))
            case "/control/mute" | "/control/unmute":
                await self._levels(muted=asked.path.endswith("/mute"))
            case "/devices":
                self.answers["GET /devices"] = (200, msgspec.structs.asdict(self.device))
            case "/control/volume":
                await self._levels(volume=asked.json()["percent"])
            case "/control/device":
                await self.plays_on(asked.json()["device"])
            case "/control/live" | "/control/standby":
                await self._levels(mode=asked.path.rpartition("/")[2])

    async def _note(self, change: Any) -> None:
        await super()._note(change)
        while self._seen < len(self.frames):
            message = self.frames[self._seen].message
            self._seen += 1
            await self._heard(message)

    async def _heard(self, message: Message) -> None:
        match message:
            case SinkOpened(sink=name) if name not in self.sinks:
                self.sinks[name] = SinkState(sink=name, kind=message.kind, conv="stage", label=message.label)
                await self._tell_sinks()
            case SinkClosed(sink=name):
                self.sinks.pop(name, None)
                await self._tell_sinks()
            case SinkPosition(sink=name) if name in self.sinks:
                before = self.sinks[name]
                behind = max(0.0, (self._position() - message.position) / 48) if message.state == "running" else 0.0
                self.sinks[name] = msgspec.structs.replace(
                    before, state=message.state, underruns=message.underruns, behind_ms=round(behind, 1)
                )
                if before.state != message.state:
                    await self._tell_sinks()
            case PanicConfirmed():
                self._confirm(message.exit, message.latency_ms, message.detail)
                await self.tell(ShowChanged(levels=self.levels, confirmed=tuple(self.confirmed.values())))

    # what goes out

    async def plays_on(self, name: str, trouble: str = "") -> None:
        """A sound device is chosen; one that is not in the list is refused, as the real one does it."""
        if name not in ("none", *DEVICES):
            refusal = {"code": "device_missing", "message": f"There is no device {name!r}."}
            self.answers["POST /control/device"] = (404, {"error": refusal})
            return
        chosen = "" if name == "none" else name
        self.device = msgspec.structs.replace(
            self.device, chosen=chosen, playing="" if trouble else chosen, trouble=trouble
        )
        self.answers["POST /control/device"] = (200, {"device": chosen})
        self._picture()
        await self.tell(PlayoutDevices(device=self.device))

    async def both(self, message: Message) -> None:
        """To the control door's worker and to every page stream."""
        await self.send(message)
        await self.tell(message)

    @property
    def elected(self) -> str:
        able = [sink for sink in self.sinks.values() if sink.state != "blocked"]
        return min(able, key=lambda sink: sink.kind).sink if able else ""

    async def _tell_sinks(self) -> None:
        elected = self.elected
        states = (msgspec.structs.replace(sink, elected=name == elected) for name, sink in self.sinks.items())
        self._picture()
        await self.tell(PlayoutSinks(sinks=tuple(states)))

    async def _levels(self, **changes: Any) -> None:
        self.levels = msgspec.structs.replace(self.levels, **changes)
        self._picture()
        await self.send(ControlLevels(levels=self.levels))
        await self.tell(ShowChanged(levels=self.levels, confirmed=tuple(self.confirmed.values())))

    async def _panic(self, body: dict[str, Any]) -> None:
        panic = Panic(panic_id=body["panic_id"], pressed_at=body["pressed_at"], by=body["by"])
        self.confirmed.clear()
        self.levels = msgspec.structs.replace(self.levels, panic=panic)
        await self.send(ControlPanic(panic=panic, gens={"stage": self.gen + 1}))
        await self._cut(SinkFlush(conv="stage", gen=self.gen + 1, panic_id=panic.panic_id))
        for name, latency_ms in (("playout", 1.4), ("voice", 3.8), ("brain", 2.9)):
            self._confirm(name, latency_ms, "scripted")
        await self._levels(panic=panic)
        exits = [msgspec.to_builtins(one) for one in self.confirmed.values()]
        self.answers["POST /control/panic"] = (200, {"panic_id": panic.panic_id, "exits": exits})

    def _confirm(self, name: str, latency_ms: float, detail: str) -> None:
        self.confirmed[name] = PanicExit(exit=name, state="confirmed", latency_ms=latency_ms, detail=detail)

    async def _cut(self, flush: SinkFlush) -> None:
        self.gen = flush.gen
        if self._turn:
            self._turn.cancel()
        await self.send(flush)

    def _start(self, playing: Any) -> None:
        self._turn = asyncio.create_task(playing)
        self._tasks.add(self._turn)
        self._turn.add_done_callback(self._tasks.discard)

    def _position(self) -> int:
        return int((time.perf_counter() - self._began) * RATE)

    def _picture(self) -> None:
        elected = self.elected
        self.snapshot = StateSnapshot(
            levels=self.levels,
            character="kitsu",
            services=tuple(
                ServiceState(role=role, connected=True, state="ok", capabilities=Capabilities(engine=engine, note=note))
                for role, engine, note in SERVICES
            ),
            sinks=tuple(msgspec.structs.replace(sink, elected=name == elected) for name, sink in self.sinks.items()),
            device=self.device,
            recent=tuple(self.recent[-20:]),
            dropped={"flood": 12, "duplicate": 3},
            confirmed=tuple(self.confirmed.values()),
        )

    # one answer

    async def _play(self, author: str, text: str, say: bool) -> None:
        self.turns += 1
        turn = _Turn(self, f"t{self.turns}", self.gen)
        lines = ((text, "smile"),) if say else self.answer
        began = time.perf_counter()
        outcome = "interrupted"
        state = TurnState(
            turn_id=turn.turn_id,
            conv="stage",
            kind="say" if say else "chat",
            started_at=now_us(),
            author=None if say else approved(author, "author", turn.turn_id),
            question=None if say else approved(text, "question", turn.turn_id),
        )
        await self.both(TurnStarted(**turn.at(), kind=state.kind, author=state.author, question=state.question))
        try:
            await asyncio.sleep(0.25)
            self.playing.set()
            await turn.speak(lines)
            outcome = "spoken"
        finally:
            self.playing.clear()
            times = StageTimes(
                gate_in_ms=1.2,
                first_token_ms=96,
                first_segment_ms=171,
                first_chunk_ms=228,
                first_audio_ms=231 + 40 * (self.turns % 4),
            )
            heard = "".join(line for line, _ in lines)
            reason = "completed" if outcome == "spoken" else "panic" if self.levels.panic else "skip"
            outcome = "panic" if reason == "panic" else outcome
            self.recent.append(
                msgspec.structs.replace(
                    state, segments=tuple(turn.segments), heard=tuple(turn.heard.values()), outcome=outcome,
                    reason=reason, times=times,
                )
            )  # fmt: skip
            self._picture()
            ended = TurnEnded(**turn.at(), outcome=outcome, reason=reason, heard=heard, times=times,
                              audio_ms=(time.perf_counter() - began) * 1000)  # fmt: skip
            finished = PlayoutFinished(
                **turn.at(), reason="played" if outcome == "spoken" else "flushed",
                heard=tuple(turn.heard.values()), audio_ms=ended.audio_ms,
            )  # fmt: skip
            closing = asyncio.create_task(self._close(finished, ended))
            self._tasks.add(closing)
            closing.add_done_callback(self._tasks.discard)

    async def _close(self, *ends: Message) -> None:
        for message in ends:
            await self.both(message)


class _Turn:
    """Speaks lines in real time, a short lead ahead of the clock."""

    def __init__(self, show: ScriptedShow, turn_id: str, gen: int) -> None:
        self.show = show
        self.turn_id = turn_id
        self.gen = gen
        self.segments: list[Segment] = []
        self.heard: dict[int, SegmentHeard] = {}

    def at(self) -> dict[str, Any]:
        return {"conv": "stage", "turn_id": self.turn_id, "gen": self.gen}

    async def speak(self, lines: tuple[tuple[str, str], ...]) -> None:
        position = self.show._position()
        for number, (text, expression) in enumerate(lines):
            caption = approved(text, "caption", self.turn_id)
            self.segments.append(Segment(text=caption, expression=expression))
            await self.show.tell(TurnSegment(**self.at(), segment=number, content=self.segments[-1]))
            await self.show.send(PlayoutCaption(**self.at(), segment=number, caption=caption, expression=expression))
            position = await self._segment(number, text, position)
        await asyncio.sleep(LEAD_S)

    async def _segment(self, number: int, text: str, position: int) -> int:
        words = words_of(text)
        per_word = round(WORD_S * RATE / FRAME)
        for index in range(len(words) * per_word):
            word = words[index // per_word]
            starts = index % per_word == 0
            frame = PlayoutFrame(
                **self.at(), sink=self.show.elected, position=position, samples=FRAME, segment=number,
                words=(WordAt(at=0, segment=number, start=word.start, end=word.end),) if starts else (),
                visemes=(VisemeAt(at=0, viseme=MOUTHS[(index // 4) % len(MOUTHS)]),) if index % 4 == 0 else (),
            )  # fmt: skip
            silent = self.show.levels.muted
            await self.show.send(frame, bytes(2 * FRAME) if silent else hum(position))
            position += FRAME
            if starts:
                total = len(words) * per_word * FRAME
                self.heard[number] = SegmentHeard(
                    segment=number, chars=word.end, samples=index * FRAME, total_samples=total
                )
                progress = PlayoutProgress(**self.at(), heard=self.heard[number], position_ms=0, buffered_ms=200)
                await self.show.both(progress)
            ahead = (position - self.show._position()) / RATE - LEAD_S
            if ahead > 0:
                await asyncio.sleep(ahead)
        return position


async def _main() -> None:
    import tempfile
    from pathlib import Path

    import pytest

    from kitsu.config import CHECKOUT
    from tests.fakes.door import open_door

    monkeypatch = pytest.MonkeyPatch()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            ScriptedShow() as show,
            FakeOrchestrator() as launcher,
            open_door(
                show, Path(folder), monkeypatch, build=CHECKOUT / "web" / "build", launcher_port=launcher.port
            ) as door,
            door.client() as client,
        ):
            link = (await client.post("/auth/link", headers=door.bearer)).json()["url"]
            print(f"{link}\n{door.url}/overlay#key={door.overlay_key}", flush=True)  # noqa: T201
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
