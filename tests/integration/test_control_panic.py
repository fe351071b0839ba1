"""Panic at the control door: every page, the orchestrator and the launcher, whoever of them answers."""

import asyncio
from pathlib import Path

import pytest

from kitsu.protocol import ControlPanic, Panic, PanicConfirmed, SinkFlush, SinkFlushed, decode, encode
from tests.fakes.door import FakeDoor, free_port, open_door
from tests.fakes.orchestrator import FakeOrchestrator
from tests.integration.control_stage import overlay


async def test_panic_reaches_pages_orchestrator_and_launcher(
    orchestrator: FakeOrchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orchestrator.answers["POST /control/panic"] = (
        200,
        {"exits": [{"exit": "voice", "state": "confirmed", "latency_ms": 3.5}]},
    )
    async with (
        FakeOrchestrator() as launcher,
        open_door(orchestrator, tmp_path, monkeypatch, launcher_port=launcher.port) as door,
        door.client() as client,
        overlay(door) as (socket, sink),
    ):
        await door.sign_in(client)
        pressing = asyncio.create_task(client.post("/api/v1/control/panic", json={"by": "key"}))
        flush = decode(await socket.recv()).message
        assert isinstance(flush, SinkFlush)
        await socket.send(encode(SinkFlushed(sink="", latency_ms=2.7, panic_id=flush.panic_id)))
        answer = (await pressing).json()
    exits = {one["exit"]: one for one in answer["exits"]}
    assert {name: one["state"] for name, one in exits.items()} == {
        f"overlay:{sink}": "confirmed", "captions": "confirmed", "voice": "confirmed"
    }  # fmt: skip
    assert answer["took_ms"] < 900
    for asked in (orchestrator.asked[-1], launcher.asked[-1]):
        assert asked.headers["authorization"] == f"Bearer {door.token}"
        assert (asked.json()["panic_id"], asked.json()["by"]) == (answer["panic_id"], "key")
    assert (orchestrator.asked[-1].path, launcher.asked[-1].path) == ("/control/panic", "/panic")


async def test_panic_answers_when_nobody_else_does(
    orchestrator: FakeOrchestrator, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsu_control.pressing.ANSWER_WITHIN_S", 0.1)
    orchestrator.hold.clear()
    async with overlay(door) as (_, sink), door.client(**door.bearer) as client:
        answer = (await client.post("/api/v1/control/panic")).json()
    assert {one["exit"]: one["state"] for one in answer["exits"]} == {
        f"overlay:{sink}": "pending", "orchestrator": "late", "launcher": "late"
    }  # fmt: skip


async def test_the_hubs_panic_is_confirmed_by_each_page(orchestrator: FakeOrchestrator, door: FakeDoor) -> None:
    async with overlay(door) as (socket, sink):
        panic = Panic(panic_id="p1", pressed_at=1, by="cli")
        await orchestrator.send(ControlPanic(panic=panic, gens={"stage": 2}))
        assert isinstance(decode(await socket.recv()).message, SinkFlush)
        await socket.send(encode(SinkFlushed(sink="", latency_ms=2.7, panic_id="p1")))
        first = await orchestrator.expect(PanicConfirmed)
        second = await orchestrator.expect(PanicConfirmed)
    assert (first.exit, second.exit) == (f"overlay:{sink}", "captions")
    assert first.latency_ms < 1000


async def test_a_panic_pressed_without_a_hub_is_delivered_when_it_is_back(
    orchestrator: FakeOrchestrator, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kitsu_control.pressing.ANSWER_WITHIN_S", 0.1)
    orchestrator.answers["POST /control/panic"] = (503, {})
    async with door.client(**door.bearer) as client:
        answer = (await client.post("/api/v1/control/panic")).json()
    orchestrator.answers.clear()
    orchestrator.asked.clear()
    await orchestrator.drop()
    await orchestrator.joins(2)
    assert (await orchestrator.requests(1))[0].json()["panic_id"] == answer["panic_id"]


async def test_neither_orchestrator_nor_launcher_there(
    orchestrator: FakeOrchestrator, door: FakeDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr(door.worker._door.button, "_urls", {"orchestrator": gone, "launcher": gone})
    async with door.client(**door.bearer) as client:
        exits = (await client.post("/api/v1/control/panic")).json()["exits"]
    states = {one["exit"]: one["state"] for one in exits}
    assert states == {"captions": "confirmed", "orchestrator": "late", "launcher": "late"}
