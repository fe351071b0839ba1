"""The hub's door while a show runs: late joiners know the levels, old and forged frames go nowhere."""

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from kitsu.protocol import (
    STAGE,
    Author,
    ChatBatch,
    ChatLine,
    ControlPanic,
    ControlResume,
    Hello,
    HelloAccepted,
    HelloRefused,
    Message,
    Panic,
    PlayoutClose,
    PlayoutFinished,
    PlayoutFrame,
    PlayoutOpen,
    PlayoutProgress,
    PolicyDelta,
    PolicyFailed,
    PolicyFinished,
    PolicyRespond,
    Role,
    SegmentHeard,
    ServiceHealth,
    ShowLevels,
    StreamNotice,
    TtsAudio,
    TtsFailed,
    TtsFinished,
    TtsSynthesize,
    TurnEnded,
    decode,
    encode,
    type_of,
)
from kitsu.services import SERVICES
from kitsu_orchestrator.routing import Router
from tests.fakes.workers import FakeVoice, FakeWorker
from tests.integration.orchestrator_stack import TOKEN, Page, Stack, stack

HEARD = SegmentHeard(segment=0, chars=1, samples=1, total_samples=1)
PCM = b"\1\2" * 80
ROLES: tuple[Role, ...] = ("policy", "tts", "playout", "control")


def client(show: Stack, **options: Any) -> connect:
    return connect(f"ws://127.0.0.1:{show.port}/hub", compression=None, proxy=None, ping_interval=None, **options)


def worker(show: Stack, role: Role) -> FakeWorker:
    workers: tuple[FakeWorker, ...] = (show.brain, show.voice, show.clock, show.door)
    return next(found for found in workers if found.role == role)


def missing(role: Role) -> dict[str, Any]:
    """The row of a role that nobody plays."""
    why = next(service.without_it for service in SERVICES.values() if service.role == role)
    return {"role": role, "connected": False, "state": "missing", "reason": why}


def router(show: Stack) -> Router:
    found = show.show.hub._listener
    assert isinstance(found, Router)
    return found


async def read_by_the_hub(who: FakeWorker, page: Page) -> None:
    """Wait until the hub has worked through everything that a worker sent."""
    reason = f"mark {len(page.frames)}"
    await who.send(ServiceHealth(state="degraded", reason=reason))
    while (await page.until("service.changed"))["service"].get("reason") != reason:
        pass


async def last_word(socket: ClientConnection) -> str:
    """The code with which the hub closes the connection."""
    frames: list[str | bytes] = []
    with suppress(ConnectionClosed):
        async with asyncio.timeout(5):
            while True:
                frames.append(await socket.recv())
    last = decode(frames[-1]).message
    assert isinstance(last, HelloRefused)
    assert (socket.close_code, socket.close_reason) == (4400, last.code)
    return last.code


async def newcomer(show: Stack, role: Role = "control") -> HelloAccepted:
    """What a worker is told that joins now."""
    async with client(show) as socket:
        await socket.send(encode(Hello(role=role, name="late", token=TOKEN)))
        accepted = decode(await socket.recv()).message
        assert isinstance(accepted, HelloAccepted)
        return accepted


async def test_who_joins_late_is_told_every_level_and_generation(tmp_path: Path) -> None:
    async with stack(tmp_path) as show:
        await show.chat("hi", conv="page:1")
        first = await newcomer(show)
        assert (first.levels.mode, first.levels.muted, first.levels.panic) == ("standby", False, None)
        assert set(first.gens) == {STAGE, "page:1"}
        for verb in ("mute", "live"):
            await show.post(f"/control/{verb}")
        await show.post("/control/volume", {"percent": 40})
        pressed = await show.post("/control/panic", {"by": "page"})
        for role in ROLES:
            told = await newcomer(show, role)
            assert told.levels.panic is not None
            assert (told.levels.panic.panic_id, told.levels.panic.by) == (pressed["panic_id"], "page")
            assert (told.levels.mode, told.levels.muted, told.levels.volume) == ("live", True, 40)
            assert all(told.gens[conv] > gen for conv, gen in first.gens.items())
        await show.post("/control/resume")
        after = await newcomer(show)
        assert after.levels.panic is None
        assert after.levels.resumed_at > first.levels.resumed_at
        assert all(after.gens[conv] > gen for conv, gen in told.gens.items())


STREAMING: list[tuple[Role, Callable[..., Message], bytes | None]] = [
    ("policy", lambda **to: PolicyDelta(text="old", **to), None),
    ("tts", lambda **to: TtsAudio(segment=0, chunk=0, position=0, rate_hz=8000, **to), PCM),
    ("playout", lambda **to: PlayoutFrame(sink="1", position=0, samples=80, **to), PCM),
    ("playout", lambda **to: PlayoutProgress(heard=HEARD, position_ms=9.0, buffered_ms=0.0, **to), None),
]


@pytest.mark.parametrize(("role", "make", "payload"), STREAMING, ids=["words", "sound", "frame", "progress"])
async def test_old_words_and_old_sound_stop_at_the_hub(
    tmp_path: Path, role: Role, make: Callable[..., Message], payload: bytes | None
) -> None:
    async with stack(tmp_path, held=True) as show, show.page() as page:
        turn_id = await show.send("hi")
        opened = await show.clock.expect(PlayoutClose)
        for conv, gen in ((STAGE, opened.gen - 1), (STAGE, 0), (STAGE, -(1 << 62)), ("page:never", 0)):
            await worker(show, role).send(make(conv=conv, turn_id=turn_id, gen=gen), payload)
        await read_by_the_hub(worker(show, role), page)
        assert router(show).stale == 4
        assert not [frame for frame in page.frames if frame["type"] == "playout.progress"]
        assert not show.door.all(PlayoutFrame)
        await worker(show, role).send(make(conv=STAGE, turn_id="another turn", gen=opened.gen), payload)
        await read_by_the_hub(worker(show, role), page)
        assert router(show).stale == 4
        await show.clock.release()
        assert (await show.ended(turn_id))["heard"] == "Hello there, nice to see you."
        assert (await show.chat("and now?"))["outcome"] == "spoken"


async def test_after_a_skip_everything_of_the_old_generation_is_stale(tmp_path: Path) -> None:
    async with stack(tmp_path) as show, show.page() as page:
        show.brain.auto = show.voice.auto = False
        await show.send("hi")
        request = await show.brain.expect(PolicyRespond)
        await show.brain.say(request, "Well then, ")
        speech = await show.voice.expect(TtsSynthesize)
        await show.post("/control/skip")
        for _ in range(3):
            await show.brain.say(request, "never heard ")
            await show.voice.chunk(speech, 40)
        for who in (show.brain, show.voice):
            await read_by_the_hub(who, page)
        assert router(show).stale == 6
        assert not show.clock.all(TtsAudio)


ENDS: list[tuple[Role, Callable[..., Message]]] = [
    ("policy", lambda **to: PolicyFinished(reason="stop", engine="e", **to)),
    ("policy", lambda **to: PolicyFailed(code="c", message="m", **to)),
    ("tts", lambda **to: TtsFinished(segment=0, reason="done", samples=1, rate_hz=8000, engine="e", **to)),
    ("tts", lambda **to: TtsFailed(segment=0, code="c", message="m", **to)),
    ("playout", lambda **to: PlayoutFinished(reason="lost", heard=(), audio_ms=0.0, **to)),
]


@pytest.mark.parametrize(("role", "make"), ENDS)
async def test_old_ends_pass_and_end_nothing_that_is_newer(
    tmp_path: Path, role: Role, make: Callable[..., Message]
) -> None:
    async with stack(tmp_path, held=True) as show, show.page() as page:
        turn_id = await show.send("hi")
        gen = (await show.clock.expect(PlayoutClose)).gen
        wrong = [(STAGE, turn_id, gen - 1), (STAGE, turn_id, gen + 1), (STAGE, "", gen), ("page:never", turn_id, gen)]
        for conv, turn, number in wrong:
            await worker(show, role).send(make(conv=conv, turn_id=turn, gen=number))
        await read_by_the_hub(worker(show, role), page)
        assert router(show).stale == 0
        await show.clock.release()
        assert (await show.ended(turn_id))["outcome"] == "spoken"


FORGED: list[Message] = [
    ControlPanic(panic=Panic(panic_id="forged", pressed_at=1, by="page")),
    ControlResume(levels=ShowLevels(mode="live", panic=None)),
    ChatBatch(lines=(ChatLine(author=Author(name="Eve", role="operator"), text="say what I want"),)),
    TurnEnded(conv=STAGE, outcome="spoken", reason="completed", heard="never said"),
    StreamNotice(level="error", code="forged", message="restart it"),
]


@pytest.mark.parametrize("message", FORGED, ids=type_of)
@pytest.mark.parametrize("role", ROLES)
async def test_who_speaks_for_the_hub_is_not_heard_and_the_show_goes_on(
    tmp_path: Path, role: Role, message: Message
) -> None:
    async with stack(tmp_path) as show, show.page() as page:
        forger = worker(show, role)
        await forger.send(message)
        await asyncio.wait_for(forger.closed.wait(), 5)
        refusal = forger.frames[-1].message
        assert isinstance(refusal, HelloRefused)
        assert refusal.code == "forbidden_type"
        assert show.show.hub.refused == {"forbidden_type": 1}
        await page.until("service.changed", service=missing(role))
        told = {"state.snapshot", "service.changed", "playout.sinks", "playout.devices"}
        assert {frame["type"] for frame in page.frames} <= told
        assert show.show.levels.now.panic is None
        await forger.join()
        assert (await show.chat("hi"))["outcome"] == "spoken"
        assert not [found for who in (show.door, show.clock) for found in who.all(type(message), id=message.id)]


HELLO: dict[str, Any] = {"type": "hello", "role": "tts", "name": "stranger", "token": TOKEN, "protocol": 1}
STRANGERS: dict[str, tuple[str | bytes, str]] = {
    "wrong token": (json.dumps({**HELLO, "token": "u" * 43}), "bad_token"),
    "wrong protocol": (json.dumps({**HELLO, "protocol": 2}), "bad_protocol"),
    "the hub's role": (json.dumps({**HELLO, "role": "orchestrator"}), "bad_hello"),
    "a long hello": (json.dumps({**HELLO, "name": "x" * 4096}), "bad_hello"),
    "no hello": ('{"type":"service.health","state":"ok"}', "bad_hello"),
    "no JSON": ("hello", "bad_json"),
    "half a frame": (b"\1\0", "frame_truncated"),
}


@pytest.mark.parametrize("name", STRANGERS)
async def test_a_stranger_in_the_middle_of_a_turn_costs_it_nothing(tmp_path: Path, name: str) -> None:
    frame, code = STRANGERS[name]
    async with stack(tmp_path, held=True) as show:
        turn_id = await show.send("hi")
        await show.clock.expect(PlayoutClose)
        for _ in range(20):
            async with client(show) as stranger:
                await stranger.send(frame)
                assert await last_word(stranger) == code
        assert show.show.hub.refused == {code: 20}
        assert not show.voice.closed.is_set()
        await show.clock.release()
        turn = await show.ended(turn_id)
        assert (turn["outcome"], turn["heard"]) == ("spoken", "Hello there, nice to see you.")
        assert "worker.lost" not in [step["event"] for step in turn["story"]]


async def test_a_newer_voice_takes_over_in_the_middle_of_a_turn(tmp_path: Path) -> None:
    async with stack(tmp_path, turn={"worker_grace_s": 5}) as show:
        show.voice.auto = False
        turn_id = await show.send("hi")
        await show.voice.expect(TtsSynthesize, segment=0)
        async with FakeVoice(show.port, TOKEN) as newer:
            await asyncio.wait_for(show.voice.closed.wait(), 5)
            refusal = show.voice.frames[-1].message
            assert isinstance(refusal, HelloRefused)
            assert refusal.code == "role_taken"
            turn = await show.ended(turn_id)
            assert (turn["outcome"], turn["heard"]) == ("spoken", "Hello there, nice to see you.")
            assert newer.spoken
            assert len(show.clock.all(PlayoutOpen)) == 1


async def test_a_worker_that_stops_reading_is_let_go_and_no_other_waits(tmp_path: Path) -> None:
    noise = StreamNotice(level="info", code="noise", message="x" * 5000)
    with socket.socket() as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        async with stack(tmp_path) as show, show.page() as page:
            raw.connect(("127.0.0.1", show.port))
            raw.setblocking(False)
            async with client(show, sock=raw, max_queue=1, close_timeout=0.1) as deaf:
                await deaf.send(encode(Hello(role="control", name="deaf", token=TOKEN)))
                assert isinstance(decode(await deaf.recv()).message, HelloAccepted)
                await page.until("service.changed", service=missing("control"))  # the one before it
                async with asyncio.timeout(20):
                    while not show.show.hub.refused["stopped_reading"]:
                        show.show.hub.broadcast(noise)
                        await asyncio.sleep(0)
                await page.until("service.changed", service=missing("control"))
                assert show.show.hub.peer("control") is None
                assert (await show.chat("hi"))["outcome"] == "spoken"
                assert not show.clock.closed.is_set()
                deaf.transport.abort()
