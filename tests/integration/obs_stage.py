"""OBS's worker between a scripted hub and a real OBS.

async with stage(tmp_path, monkeypatch) as on:
    await on.hub.send(ObsSwitch(scene="Gaming"))
"""

import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kitsu.protocol import ControlPanic, ControlResume, Message, ObsOutcome, ObsState, Panic, ShowLevels, now_us
from kitsu_obs.worker import ObsWorker
from tests.fakes.hub import FakeHub, joined
from tests.fakes.obs_studio import ObsStudio, Witness, furnish, obs_studio

SAFE = "Kitsu Safe"


@dataclass
class Stage:
    """Everything at hand."""

    hub: FakeHub
    worker: ObsWorker
    obs: ObsStudio
    witness: Witness

    async def order(self, order: Message) -> ObsOutcome:
        """An order, and what became of it."""
        await self.hub.send(order)
        return await self.hub.expect(ObsOutcome, parent_id=order.id)

    async def state(self, **fields: Any) -> ObsState:
        """The next state with these fields."""
        return await self.hub.expect(ObsState, **fields)

    async def panic(self, panic_id: str = "p1") -> Panic:
        """Press."""
        panic = Panic(panic_id=panic_id, pressed_at=now_us(), by="test")
        await self.hub.send(ControlPanic(panic=panic))
        return panic

    async def resume(self) -> None:
        """End it; what came until now is forgotten."""
        self.hub.forget()
        await self.hub.send(ControlResume(levels=ShowLevels(mode="live", panic=None, resumed_at=now_us())))


@asynccontextmanager
async def linked(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    hub: FakeHub,
    obs: ObsStudio,
    settings: Iterable[tuple[str, object]] = (),
) -> AsyncIterator[ObsWorker]:
    """The worker, with `folder` as its home."""
    chosen = [("obs.password", obs.password), ("obs.port", obs.port), *settings]
    async with joined(ObsWorker, hub, folder, monkeypatch, chosen) as worker:
        assert isinstance(worker, ObsWorker)
        yield worker


@asynccontextmanager
async def stage(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    settings: Iterable[tuple[str, object]] = (),
    *,
    presets: str = "",
) -> AsyncIterator[Stage]:
    """Real OBS with a few scenes, the worker, a hub; all signed in."""
    own = folder / "home" / "configs"
    own.mkdir(parents=True)
    if presets:
        (own / "obs.yaml").write_text(presets)
    logging.getLogger("kitsu").setLevel(logging.INFO)
    async with obs_studio(folder / "obs") as obs, FakeHub() as hub:
        await furnish(obs)
        async with (
            obs.witness() as witness,
            linked(folder / "home", monkeypatch, hub, obs, settings) as worker,
        ):
            on = Stage(hub, worker, obs, witness)
            await on.state(connected=True, scene="Scene")
            yield on
