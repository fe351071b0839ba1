"""Overlays and listening pages at the control door: sinks, hostile frames, bounds, keys."""

import json
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from kitsu.protocol import (
    ControlPanic,
    HelloAccepted,
    Panic,
    PanicConfirmed,
    PlayoutFrame,
    SinkClosed,
    SinkFlush,
    SinkOpened,
    SinkPosition,
    decode,
    encode,
)
from tests.fakes.door import FakeDoor, hello, open_door
from tests.fakes.orchestrator import FakeOrchestrator
from tests.integration.control_stage import closed, overlay


async def test_an_overlay_joins_plays_and_leaves(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with overlay(door, label="OBS") as (socket, sink):
        opened = await orchestrator.expect(SinkOpened)
        assert (opened.sink, opened.kind, opened.label, opened.conv) == (sink, "overlay", "OBS", "stage")
        pcm = bytes(range(200)) * 2
        frame = PlayoutFrame(conv="stage", turn_id="t", gen=1, sink=sink, position=0, samples=200)
        await orchestrator.send(frame, pcm)
        message, payload = decode(await socket.recv())
        assert isinstance(message, PlayoutFrame)
        assert payload == pcm
        await socket.send(encode(SinkPosition(sink="somebody else", position=48, state="running", underruns=1)))
        position = await orchestrator.expect(SinkPosition)
        assert (position.sink, position.position, position.underruns) == (sink, 48, 1)
    assert (await orchestrator.expect(SinkClosed)).sink == sink


async def test_an_overlay_without_sound_is_no_sink(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with overlay(door, sound=False) as (socket, _):
        await socket.send(encode(SinkPosition(sink="", position=48, state="running")))
        async with overlay(door):
            await orchestrator.expect(SinkOpened)
    assert len({message.sink for message in orchestrator.all(SinkOpened)}) == 1
    assert orchestrator.all(SinkPosition) == []


BAD_HELLOS = {
    "no json": ("{", "bad_hello"),
    "another type": (encode(SinkPosition(sink="x", position=1, state="idle")), "bad_hello"),
    "no key": ('{"type":"sink.hello"}', "bad_key"),
    "wrong key": ('{"type":"sink.hello","key":"x"}', "bad_key"),
    "surrogate": ('{"type":"sink.hello","key":"\\ud800"}', "bad_hello"),
    "deep": ("[" * 3000, "bad_hello"),
    "unknown field": ('{"type":"sink.hello","role":"orchestrator"}', "bad_hello"),
    "too large": (f'{{"type":"sink.hello","key":"{"x" * 5000}"}}', "frame_too_large"),
    "binary": (b"\0\0\0\0", "wrong_frame_kind"),
}


@pytest.mark.parametrize(("frame", "code"), BAD_HELLOS.values(), ids=BAD_HELLOS)
async def test_bad_hellos(orchestrator: FakeOrchestrator, door: FakeDoor, frame: str | bytes, code: str) -> None:
    async with door.socket("/overlay/ws") as socket:
        await socket.send(frame)
        refusal = json.loads(await socket.recv())
        assert (refusal["type"], refusal["code"]) == ("hello.refused", code)
        assert await closed(socket) in (4400, 4401)
    assert orchestrator.all(SinkOpened) == []


async def test_hello_must_come_soon(door: FakeDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_control.sockets.HELLO_TIMEOUT_S", 0.05)
    async with door.socket("/overlay/ws") as socket:
        assert json.loads(await socket.recv())["code"] == "hello_timeout"
        assert await closed(socket) == 4408


FORBIDDEN = {
    "panic": encode(ControlPanic(panic=Panic(panic_id="x", pressed_at=1, by="page"))),
    "flush": encode(SinkFlush(conv="stage", gen=99)),
    "confirmation": encode(PanicConfirmed(panic_id="x", exit="playout", latency_ms=1)),
    "opened": encode(SinkOpened(sink="x", kind="device")),
    "unknown type": '{"type":"control.everything"}',
    "no type": "{}",
    "no json": "]",
    "binary": b"\x02\0\0\0{}",
    "huge position": encode(SinkPosition(sink="x", position=1 << 60, state="running")),
    "negative position": encode(SinkPosition(sink="x", position=-1, state="running")),
    "odd state": '{"type":"sink.position","sink":"x","position":1,"state":"dancing"}',
    "odd latency": '{"type":"sink.flushed","sink":"x","latency_ms":-1}',
    "too large": f'{{"type":"sink.position","sink":"{"x" * 5000}","position":1,"state":"idle"}}',
}


@pytest.mark.parametrize("frame", FORBIDDEN.values(), ids=FORBIDDEN)
async def test_an_overlay_can_only_report(orchestrator: FakeOrchestrator, door: FakeDoor, frame: str | bytes) -> None:
    async with overlay(door) as (socket, _):
        await socket.send(frame)
        assert await closed(socket) == 4400
    await orchestrator.expect(SinkClosed)
    hub_got = {type(frame.message).__name__ for frame in orchestrator.frames}
    assert hub_got <= {"SinkOpened", "SinkClosed", "ServiceHealth"}


async def test_frames_over_64_kb_end_the_connection(door: FakeDoor) -> None:
    async with overlay(door) as (socket, _):
        await socket.send("x" * 70_000)
        assert await closed(socket) == 1009


async def test_a_flood_of_reports_ends_the_connection(door: FakeDoor) -> None:
    async with overlay(door) as (socket, _):
        frame = encode(SinkPosition(sink="x", position=1, state="running"))
        try:
            for _ in range(400):
                await socket.send(frame)
        except ConnectionClosed:
            pass
        assert await closed(socket) == 4429


async def test_the_number_of_browsers_is_bounded(
    orchestrator: FakeOrchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = [("control.max_browsers", 2)]
    async with open_door(orchestrator, tmp_path, monkeypatch, settings=limit) as door, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(overlay(door))
        async with door.socket("/overlay/ws") as third:
            assert json.loads(await third.recv())["code"] == "too_many_browsers"


async def test_rotating_the_key_closes_old_overlays(door: FakeDoor) -> None:
    old = door.overlay_key
    async with door.client() as client, overlay(door) as (socket, _):
        await door.sign_in(client)
        shown = (await client.get("/auth/overlay-key")).json()
        assert shown == {"key": old, "url": f"{door.url}/overlay#key={old}"}
        new = (await client.post("/auth/overlay-key/rotate")).json()["key"]
        assert new != old
        assert await closed(socket) == 4401
    async with door.socket("/overlay/ws") as socket:
        assert json.loads(await hello(socket, json.dumps({"type": "sink.hello", "key": old})))["code"] == "bad_key"


async def test_deleting_the_key_file_closes_overlays(door: FakeDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    async with overlay(door) as (socket, _):
        (door.folder / "secrets" / "overlay_key").unlink()
        assert await closed(socket) == 4401


async def test_the_overlay_key_opens_nothing_else(door: FakeDoor) -> None:
    async with door.client(authorization=f"Bearer {door.overlay_key}") as client:
        for path in ("/api/v1/status", "/auth/overlay-key"):
            assert (await client.get(path)).status_code == 401
        assert (await client.post("/api/v1/control/panic")).status_code == 401


async def test_a_signed_in_page_listens(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        async with door.socket("/api/v1/sound?conv=stage", client) as socket:
            await hello(socket, '{"type":"sink.hello","label":"control page"}')
            assert (await orchestrator.expect(SinkOpened)).kind == "page"
        with pytest.raises(InvalidStatus):
            async with door.socket("/api/v1/sound?conv=../x", client):
                pass


async def test_sinks_come_back_after_the_hub_does(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with overlay(door) as (socket, sink):
        await orchestrator.expect(SinkOpened, sink=sink)
        await orchestrator.drop()
        assert isinstance(decode(await socket.recv()).message, SinkFlush)
        assert isinstance(decode(await socket.recv()).message, HelloAccepted)
        await orchestrator.expect(SinkOpened, sink=sink)
