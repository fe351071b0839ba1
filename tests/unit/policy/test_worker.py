"""The policy worker on a hub."""

import asyncio
import time
from pathlib import Path

import pytest

from kitsu.protocol import (
    ControlPanic,
    ControlResume,
    Intent,
    PanicConfirmed,
    PolicyCancel,
    PolicyDelta,
    PolicyFailed,
    PolicyFinished,
    PolicyPrepare,
    PolicyRespond,
    ServiceHealth,
    ShowLevels,
)
from kitsu.protocol.control import Panic
from kitsu_policy.worker import WAITING_LIMIT, PolicyWorker
from tests.fakes.hub import FakeHub, joined
from tests.fakes.openai_llm import FakeLlm, error, hang_after

KITSU = PolicyPrepare(
    character="Kitsu",
    system="You are Kitsu.",
    intents={"fallback": Intent(lines=("One line here.", "Another line there."))},
)
PANIC = ControlPanic(panic=Panic(panic_id="p1", pressed_at=1, by="cli"), gens={"stage": 5})
QUICK = (("policy.first_token_timeout_s", 5), ("policy.token_timeout_s", 5))


def respond(turn_id: str = "t1", gen: int = 3, conv: str = "stage") -> PolicyRespond:
    return PolicyRespond(conv=conv, turn_id=turn_id, gen=gen, prompt="viewer: hello", plain="hello")


async def test_the_demo_brain_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(PolicyWorker, hub, tmp_path, monkeypatch):
        capabilities = hub.hellos[0].capabilities
        assert (capabilities.engine, capabilities.features, capabilities.max_parallel) == ("scripted", ("demo",), 2)
        assert set(capabilities.engines) == {"auto", "scripted", "openai", "ollama"}
        assert "demo brain" in capabilities.note
        await hub.send(KITSU)
        request = respond()
        await hub.send(request)
        finished = await hub.expect(PolicyFinished)
        deltas = hub.all(PolicyDelta)
        assert "".join(delta.text for delta in deltas) in KITSU.intents["fallback"].lines
        assert (finished.reason, finished.engine, finished.tokens) == ("stop", "scripted", 3)
        assert 0 < finished.first_token_ms < 1000
        for message in (*deltas, finished):
            assert (message.conv, message.turn_id, message.gen, message.parent_id) == ("stage", "t1", 3, request.id)


async def test_an_answer_without_a_character_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(PolicyWorker, hub, tmp_path, monkeypatch):
        await hub.send(respond())
        failed = await hub.expect(PolicyFailed, turn_id="t1", gen=3)
        assert (failed.code, failed.engine) == ("not_prepared", "scripted")


async def test_the_model_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeLlm() as llm, FakeHub() as hub:
        settings = (("policy.engine", "openai"), ("policy.base_url", llm.url), ("policy.max_parallel", 3), *QUICK)
        async with joined(PolicyWorker, hub, tmp_path, monkeypatch, settings) as worker:
            assert hub.hellos[0].capabilities.max_parallel == 3
            await hub.send(KITSU)
            await hub.send(respond())
            assert (await hub.expect(PolicyFinished)).tokens == 5
            assert [delta.text for delta in hub.all(PolicyDelta)] == list(llm.reply)
            assert "first_token_p50" in worker.latency_ms()


async def test_cancel_aborts_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeLlm() as llm, FakeHub() as hub:
        settings = (("policy.engine", "openai"), ("policy.base_url", llm.url), *QUICK)
        async with joined(PolicyWorker, hub, tmp_path, monkeypatch, settings):
            await hub.send(KITSU)
            llm.script(hang_after(1))
            await hub.send(respond())
            await hub.expect(PolicyDelta)
            await hub.send(PolicyCancel(conv="page:1", turn_id="t1", gen=4))  # another conversation's
            await hub.send(PolicyCancel(conv="stage", turn_id="t0", gen=4))  # another turn's
            await hub.send(respond("t2"))
            assert (await hub.expect(PolicyFinished)).turn_id == "t2"
            begin = time.perf_counter()
            await hub.send(PolicyCancel(conv="stage", turn_id="t1", gen=4))
            finished = await hub.expect(PolicyFinished)
            assert time.perf_counter() - begin < 1
            assert (finished.turn_id, finished.gen, finished.reason, finished.tokens) == ("t1", 3, "cancelled", 1)
            async with asyncio.timeout(2):
                await llm.aborted.wait()
            await hub.send(PolicyCancel(conv="stage", turn_id="t1", gen=5))  # too late: it has ended
            await hub.send(respond("t3"))
            await hub.expect(PolicyFinished, turn_id="t3")
            assert len(hub.all(PolicyFinished)) == 3


async def test_a_waiting_answer_can_be_cancelled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeLlm() as llm, FakeHub() as hub:
        settings = (("policy.engine", "openai"), ("policy.base_url", llm.url), ("policy.max_parallel", 1), *QUICK)
        async with joined(PolicyWorker, hub, tmp_path, monkeypatch, settings):
            await hub.send(KITSU)
            llm.script(hang_after(1))
            for number in range(WAITING_LIMIT + 1):
                await hub.send(respond(f"t{number}"))
            refused = await hub.expect(PolicyFailed)
            assert (refused.code, refused.turn_id, refused.retryable) == ("brain_busy", f"t{WAITING_LIMIT}", True)
            await hub.send(PolicyCancel(conv="stage", turn_id="t1", gen=9))
            assert (await hub.expect(PolicyFinished, turn_id="t1")).reason == "cancelled"
            await hub.send(PolicyCancel(conv="stage", turn_id="t0", gen=9))
            assert (await hub.expect(PolicyFinished, turn_id="t2")).reason == "stop"


async def test_panic_stops_every_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeLlm() as llm, FakeHub() as hub:
        settings = (("policy.engine", "openai"), ("policy.base_url", llm.url), *QUICK)
        async with joined(PolicyWorker, hub, tmp_path, monkeypatch, settings):
            await hub.send(KITSU)
            llm.script(hang_after(1), hang_after(1))
            await hub.send(respond("t1"))
            await hub.send(respond("t2", gen=1, conv="page:1"))
            await hub.expect(PolicyDelta, turn_id="t1")
            await hub.expect(PolicyDelta, turn_id="t2")
            await hub.send(PANIC)
            confirmed = await hub.expect(PanicConfirmed)
            assert (confirmed.panic_id, confirmed.exit) == ("p1", "brain")
            assert confirmed.detail == "2 answers stopped"
            assert 0 <= confirmed.latency_ms < 500
            assert {m.reason for m in hub.all(PolicyFinished)} == {"cancelled"}
            assert len(hub.all(PolicyFinished)) == 2
            await hub.send(respond("old", gen=4))  # older than the panic
            assert (await hub.expect(PolicyFinished, turn_id="old")).reason == "cancelled"
            await hub.send(ControlResume(levels=ShowLevels(panic=None), gens={"stage": 6}))
            await hub.send(respond("new", gen=6))
            assert (await hub.expect(PolicyFinished, turn_id="new")).reason == "stop"


async def test_panic_with_nothing_to_stop_is_confirmed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(PolicyWorker, hub, tmp_path, monkeypatch):
        await hub.send(PANIC)
        assert (await hub.expect(PanicConfirmed)).detail == "0 answers stopped"


async def test_trouble_degrades_and_an_answer_heals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeLlm() as llm, FakeHub() as hub:
        llm.script(error(500, "still loading"))
        settings = (("policy.engine", "openai"), ("policy.base_url", llm.url), *QUICK)
        async with joined(PolicyWorker, hub, tmp_path, monkeypatch, settings):
            assert "still loading" in (await hub.expect(ServiceHealth, state="degraded")).reason
            await hub.send(KITSU)
            await hub.send(respond())
            await hub.expect(PolicyFinished)
            await hub.expect(ServiceHealth, state="ok")
            llm.script(error(404, "no such model"))
            await hub.send(respond("t2"))
            failed = await hub.expect(PolicyFailed)
            assert (failed.code, failed.turn_id, failed.retryable) == ("no_such_model", "t2", False)
            await hub.expect(ServiceHealth, state="degraded")


async def test_a_lost_hub_ends_its_answers_silently(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeLlm() as llm, FakeHub() as hub:
        settings = (("policy.engine", "openai"), ("policy.base_url", llm.url), *QUICK)
        async with joined(PolicyWorker, hub, tmp_path, monkeypatch, settings):
            await hub.send(KITSU)
            llm.script(hang_after(1))
            await hub.send(respond())
            await hub.expect(PolicyDelta)
            await hub.drop()
            await hub.joins(2)
            async with asyncio.timeout(2):
                await llm.aborted.wait()
            await hub.send(respond("t2"))  # the character is still known
            await hub.expect(PolicyFinished, turn_id="t2")
            assert not hub.all(PolicyFinished, turn_id="t1")


@pytest.mark.parametrize("frame", ["", "{", '{"type":"no.such"}', '{"type":"policy.respond"}', b"\x01\x02", "[" * 9999])
async def test_bad_frames_leave_it_working(frame: str | bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(PolicyWorker, hub, tmp_path, monkeypatch):
        await hub.send(KITSU)
        await hub.send_raw(frame)
        await hub.send(respond())
        await hub.expect(PolicyFinished)
