"""The REST door's part for the operator's verbs: panic first, levels, sound device and voice, services."""

from typing import Any

from fastapi import FastAPI, Request
from pydantic import ValidationError

from kitsu.panic import pressed
from kitsu.protocol import Panic
from kitsu.services import SERVICES
from kitsu_orchestrator.launcher import Launcher
from kitsu_orchestrator.problems import RefusedError
from kitsu_orchestrator.schemas import DeviceBody, ModuleBody, PanicBody, SkipBody, TopicsBody, VoiceBody, VolumeBody
from kitsu_orchestrator.show import Show
from kitsu_orchestrator.status import levels_json

_PANIC_BODY = {"requestBody": {"content": {"application/json": {"schema": PanicBody.model_json_schema()}}}}


def add_control(app: FastAPI, show: Show, launcher: Launcher) -> None:
    """`/control/…`, `/voice`, `/modules/…`."""
    _add_panic(app, show)
    _add_sound(app, show)
    _add_levels(app, show)
    _add_modules(app, launcher)


def _add_panic(app: FastAPI, show: Show) -> None:
    @app.post("/control/panic", openapi_extra=_PANIC_BODY)
    async def panic(request: Request) -> dict[str, Any]:
        """Everything silent, now. Answers with each exit's confirmation."""
        show.panic(_panic(await request.body()))
        exits = await show.panic_desk.settled()
        held = show.levels.now.panic
        return {
            "panic_id": held.panic_id if held else "",
            "panicked": held is not None,
            "exits": [
                {"exit": row.exit, "state": row.state, "latency_ms": row.latency_ms, "detail": row.detail}
                for row in exits
            ],
        }

    @app.post("/control/resume")
    async def resume() -> dict[str, Any]:
        """End the panic."""
        show.resume()
        return levels_json(show.levels.now)

    @app.post("/control/skip")
    async def skip(body: SkipBody | None = None) -> dict[str, Any]:
        """End the running turn."""
        return {"skipped": show.skip((body or SkipBody()).conv)}


def _add_sound(app: FastAPI, show: Show) -> None:
    @app.post("/control/device")
    async def device(body: DeviceBody) -> dict[str, str]:
        """Play on this sound device from now on."""
        return {"device": await show.device_choice.use("" if body.device == "none" else body.device)}

    @app.post("/voice")
    async def voice(body: VoiceBody) -> dict[str, str]:
        """Another voice, from the next segment on."""
        using = await show.voice_choice.use(body.engine, body.voice)
        return {"engine": using.engine, "voice": using.voice}


def _add_levels(app: FastAPI, show: Show) -> None:
    @app.post("/control/volume")
    async def volume(body: VolumeBody) -> dict[str, Any]:
        """How loud she is on all sinks."""
        show.set_volume(body.percent)
        return levels_json(show.levels.now)

    @app.post("/control/topics")
    async def topics(body: TopicsBody) -> dict[str, Any]:
        """Whether she may begin to talk by herself when chat is quiet."""
        show.set_topics(body.on)
        return levels_json(show.levels.now)

    @app.post("/control/{verb}")  # the last one: it would take every path of /control
    async def level(verb: str) -> dict[str, Any]:
        """mute, unmute, live, standby."""
        match verb:
            case "mute" | "unmute":
                show.set_muted(verb == "mute")
            case "live" | "standby":
                show.set_mode("live" if verb == "live" else "standby")
            case _:
                raise RefusedError(
                    404,
                    "no_such_verb",
                    "Verbs: panic, resume, mute, unmute, volume, device, topics, skip, live, standby.",
                )
        return levels_json(show.levels.now)


def _add_modules(app: FastAPI, launcher: Launcher) -> None:
    @app.post("/modules/{name}")
    async def module(name: str, body: ModuleBody) -> dict[str, Any]:
        """Start, stop or restart a service."""
        if name not in SERVICES:
            raise RefusedError(404, "no_such_service", f"There is no such service. There are: {', '.join(SERVICES)}.")
        return await launcher.order(name, body.action)


def _panic(raw: bytes) -> Panic:
    """The press that a body tells of; a body that cannot be read is a press too."""
    try:
        body = PanicBody.model_validate_json(raw)
    except ValidationError:
        body = PanicBody()
    made = pressed(body.by)
    at = min(body.pressed_at or made.pressed_at, made.pressed_at)  # one from the future would outlive every resume
    return Panic(panic_id=body.panic_id or made.panic_id, pressed_at=at, by=body.by)
