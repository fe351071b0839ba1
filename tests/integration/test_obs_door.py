"""The REST door's part for OBS, with a worker that speaks the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import pytest

from kitsu.protocol import (
    Capabilities,
    ControlPanic,
    Message,
    ObsOutcome,
    ObsPreset,
    ObsRun,
    ObsState,
    ObsStep,
    ObsSwitch,
    ObsWrite,
    PanicConfirmed,
    PanicUnconfirmed,
    Role,
    checked,
)
from kitsu_orchestrator import obs as module
from kitsu_orchestrator import services
from tests.fakes.workers import FakeWorker
from tests.integration.orchestrator_stack import BLOCKED, KEY, TOKEN, Stack, stack


class FakeObs(FakeWorker):
    """Answers every order with `outcome`, and a panic with `on_panic`."""

    role: ClassVar[Role] = "obs"

    def __init__(self, port: int, token: str) -> None:
        super().__init__(port, token)
        self.capabilities = Capabilities(features=("panic",))
        self.orders: list[Message] = []
        self.outcome: ObsOutcome | None = ObsOutcome(
            steps=(ObsStep(step="scene Gaming", state="done", confirmed_by="CurrentProgramSceneChanged", ms=31.0),)
        )
        self.on_panic: type[PanicConfirmed] | type[PanicUnconfirmed] | None = PanicConfirmed

    async def react(self, message: Message, payload: memoryview | None) -> None:
        match message:
            case ObsSwitch() | ObsRun() | ObsWrite():
                self.orders.append(message)
                if self.outcome is not None:
                    fields = {name: getattr(self.outcome, name) for name in ("steps", "ms", "code", "message")}
                    await self.send(ObsOutcome(parent_id=message.id, **fields))
            case ControlPanic(panic=panic) if self.on_panic is PanicConfirmed:
                await self.send(PanicConfirmed(panic_id=panic.panic_id, exit="obs", latency_ms=30, detail="safe"))
            case ControlPanic(panic=panic) if self.on_panic is PanicUnconfirmed:
                await self.send(PanicUnconfirmed(panic_id=panic.panic_id, exit="obs", detail="OBS hangs"))


@asynccontextmanager
async def with_obs(folder: Path) -> AsyncIterator[tuple[Stack, FakeObs]]:
    async with stack(folder) as show, FakeObs(show.port, TOKEN) as obs:
        yield show, obs


async def test_a_scene_is_answered_with_obs_own_word(tmp_path: Path) -> None:
    async with with_obs(tmp_path) as (show, obs):
        answer = await show.post("/obs/scene", {"scene": "Gaming"})
        assert answer["confirmed_by"] == "CurrentProgramSceneChanged"
        obs.outcome = ObsOutcome(code="no_such_scene", message="There is no scene 'x'. Did you mean 'y'?")
        refused = await show.post("/obs/scene", {"scene": "x"}, status=404)
        assert "Did you mean" in refused["error"]["message"]
        for body in ({}, {"scene": ""}, {"scene": "x" * 999}, {"scene": 5}, {"scene": "x", "more": 1}):
            await show.post("/obs/scene", body, status=422)


async def test_text_for_obs_passes_the_gate_and_is_sealed(tmp_path: Path) -> None:
    async with with_obs(tmp_path) as (show, obs):
        await show.post("/obs/text", {"input": "Now", "text": "hello\n there"})
        order = obs.orders[-1]
        assert isinstance(order, ObsWrite)
        assert checked(order.text, KEY, "obs_text", "obs") == "hello there"
        blocked = await show.post("/obs/text", {"input": "Now", "text": f"so {BLOCKED}"}, status=422)
        assert blocked["error"]["code"] == "blocked"
        (kept,) = await show.get("/safety/verdicts")
        assert (kept["surface"], kept["action"], BLOCKED in kept["text"]) == ("obs_text", "replace", True)
        async with show.page() as page:
            await page.until("state.snapshot")
            presets = (ObsPreset(name="ok", texts=("fine",)), ObsPreset(name="bad", texts=("fine", BLOCKED)))
            await obs.send(ObsState(connected=True, configured=True, scene="A", scenes=("A",), presets=presets))
            assert (await page.until("obs.state"))["scene"] == "A"
        await show.post("/obs/preset", {"preset": "ok"})
        run = obs.orders[-1]
        assert isinstance(run, ObsRun)
        assert [text.text for text in run.texts] == ["fine"]
        await show.post("/obs/preset", {"preset": "bad"}, status=422)
        assert obs.orders[-1] is run
        assert (await show.get("/obs"))["scenes"] == ["A"]
        assert (await show.get("/status"))["obs"]["scene"] == "A"


async def test_obs_is_an_exit_of_panic(tmp_path: Path) -> None:
    async with with_obs(tmp_path) as (show, obs):
        exits = {row["exit"]: row for row in (await show.post("/control/panic"))["exits"]}
        assert (exits["obs"]["state"], exits["obs"]["detail"]) == ("confirmed", "safe")
        await show.post("/control/resume")
        obs.on_panic = PanicUnconfirmed
        exits = {row["exit"]: row for row in (await show.post("/control/panic"))["exits"]}
        assert (exits["obs"]["state"], exits["obs"]["detail"]) == ("late", "OBS hangs")
        await show.post("/control/resume")
        obs.on_panic = None
        exits = {row["exit"]: row for row in (await show.post("/control/panic"))["exits"]}
        assert exits["obs"]["state"] == "late"


async def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.1)
    async with stack(tmp_path) as show:
        assert (await show.post("/obs/scene", {"scene": "x"}, status=409))["error"]["code"] == "obs_not_configured"
        monkeypatch.setattr(services, "is_wanted", lambda service: True)
        assert (await show.post("/obs/scene", {"scene": "x"}, status=503))["error"]["code"] == "obs_missing"
        assert not (await show.get("/obs"))["connected"]
        async with FakeObs(show.port, TOKEN) as obs:
            obs.outcome = None
            assert (await show.post("/obs/scene", {"scene": "x"}, status=503))["error"]["code"] == "obs_timeout"
            monkeypatch.setattr(module, "ANSWER_S", 10)
            waiting = asyncio.create_task(show.post("/obs/scene", {"scene": "late"}, status=503))
            await obs.expect(ObsSwitch, scene="late")
        assert (await waiting)["error"]["code"] == "obs_missing"
