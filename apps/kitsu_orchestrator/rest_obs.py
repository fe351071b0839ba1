"""The REST door's part for OBS: every order is answered when OBS itself has said that it is done."""

from typing import Any

import msgspec
from fastapi import FastAPI

from kitsu.protocol import ObsOutcome
from kitsu_orchestrator.obs import ObsDesk
from kitsu_orchestrator.schemas import ObsAnswer, ObsPresetBody, ObsSceneBody, ObsSetUpBody, ObsTextBody
from kitsu_orchestrator.services import absence


def add_obs(app: FastAPI, desk: ObsDesk) -> None:
    """`/obs…`."""

    @app.get("/obs")
    async def obs() -> dict[str, Any]:
        """OBS as it was heard of last."""
        if desk.state is None:
            return {"connected": False, "configured": False, "reason": absence("obs").message}
        state: dict[str, Any] = msgspec.to_builtins(desk.state)
        return {"scene": "", "scenes": [], "presets": [], "held": "", **state}

    @app.post("/obs/scene", response_model=ObsAnswer)
    async def scene(body: ObsSceneBody) -> dict[str, Any]:
        """Another scene on air. Refused while a panic holds OBS."""
        return _answer(await desk.switch(body.scene))

    @app.post("/obs/preset", response_model=ObsAnswer)
    async def preset(body: ObsPresetBody) -> dict[str, Any]:
        """A preset of configs/obs.yaml, all its steps in one batch."""
        return _answer(await desk.run(body.preset))

    @app.post("/obs/text", response_model=ObsAnswer)
    async def text(body: ObsTextBody) -> dict[str, Any]:
        """Words into a text source, if the gate lets them."""
        return _answer(await desk.write(body.input, body.text))

    @app.post("/obs/reset", response_model=ObsAnswer)
    async def reset() -> dict[str, Any]:
        """Drop the connection to OBS and make a new one."""
        return _answer(await desk.reset())

    @app.post("/obs/restore", response_model=ObsAnswer)
    async def restore() -> dict[str, Any]:
        """Leave the safe scene that OBS went to while the hub was gone."""
        return _answer(await desk.restore())

    @app.post("/obs/setup", response_model=ObsAnswer)
    async def set_up(body: ObsSetUpBody) -> dict[str, Any]:
        """What Kitsu needs in OBS: planned, or (`apply`) made."""
        return _answer(await desk.set_up(apply=body.apply, overlay_url=body.overlay_url))


def _answer(outcome: ObsOutcome) -> dict[str, Any]:
    steps = [{name: getattr(step, name) for name in step.__struct_fields__} for step in outcome.steps]
    confirmed = next((step.confirmed_by for step in reversed(outcome.steps) if step.confirmed_by), "")
    return {"ms": outcome.ms, "confirmed_by": confirmed, "steps": steps}
