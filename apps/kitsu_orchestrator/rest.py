"""The REST door and the two websockets: `/stream` for pages, `/hub` for workers."""

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from kitsu.errors import KitsuError
from kitsu.protocol import Author
from kitsu_orchestrator.launcher import Launcher
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.problems import RefusedError, add_errors, spoken_text
from kitsu_orchestrator.rest_control import add_control
from kitsu_orchestrator.rest_ears import add_ears
from kitsu_orchestrator.rest_obs import add_obs
from kitsu_orchestrator.rest_vts import add_vts
from kitsu_orchestrator.rule_keeper import RuleKeeper
from kitsu_orchestrator.safety_rest import add_safety
from kitsu_orchestrator.schemas import (
    Accepted,
    ChatBody,
    DevicesAnswer,
    ErrorAnswer,
    SayBody,
    TurnAnswer,
)
from kitsu_orchestrator.show import Show
from kitsu_orchestrator.status import status as whole_status
from kitsu_orchestrator.stream import Reader

TURN_FIRST_S = 0.005
"""A turn gets this head start on the answer that its line was taken: she must not wait for our paperwork."""
_ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorAnswer} for code in (401, 403, 404, 409, 413, 422, 503, 504)
}


def build(show: Show, launcher: Launcher, turns: Path, keeper: RuleKeeper) -> FastAPI:
    """The application, without its guard. `turns`: where playout keeps what was played."""
    app = FastAPI(title="Kitsu", version=version("kitsu"), docs_url=None, redoc_url=None, responses=_ERRORS)
    add_errors(app)
    _add_state(app, show, launcher, turns)
    _add_lines(app, show)
    add_control(app, show, launcher)
    add_obs(app, show.obs)
    add_vts(app, show)
    add_ears(app, show)
    add_safety(app, show, keeper)
    _add_sockets(app, show)
    return app


def _add_state(app: FastAPI, show: Show, launcher: Launcher, folder: Path) -> None:
    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Alive."""
        return {"status": "ok"}

    @app.get("/status")
    async def status() -> dict[str, Any]:
        """How everything is."""
        return await whole_status(show, launcher)

    @app.get("/devices")
    async def devices() -> DevicesAnswer:
        """Which sound devices there are now, and which one plays."""
        return DevicesAnswer(**msgspec.structs.asdict(await show.device_choice.look()))

    @app.get("/turns")
    async def turns(conv: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
        """The newest turns, newest first."""
        return await show.store.latest(conv, max(1, min(limit, 200)))

    @app.get("/turns/{turn_id}", response_model=TurnAnswer)
    async def turn(turn_id: str) -> dict[str, Any]:
        """The story of one turn."""
        return await _story(show, turn_id)

    @app.get("/turns/{turn_id}/audio.wav")
    async def audio(turn_id: str) -> FileResponse:
        """What was played in it: 48 kHz, 16 bit, mono."""
        story = await _story(show, turn_id)
        path = folder / Path(story["wav"]).name
        if not story["wav"] or not path.is_file():
            raise RefusedError(404, "no_audio", "There is no recording: nothing was played, or it was cleared away.")
        return FileResponse(path, media_type="audio/wav", filename=story["wav"])


def _add_lines(app: FastAPI, show: Show) -> None:
    @app.post("/chat", status_code=202, response_model=Accepted | TurnAnswer)
    async def chat(body: ChatBody) -> JSONResponse:
        """A line of chat."""
        author = Author(name=spoken_text(body.author), role=body.role)
        text, clock, message_id = spoken_text(body.text), body.clock, body.message_id
        job = Job(text=text, author=author, conv=body.conv, clock=clock, message_id=message_id)
        return await _accept(show, job, wait_s=body.timeout_s if body.wait else 0)

    @app.post("/say", status_code=202, response_model=Accepted | TurnAnswer)
    async def say(body: SayBody) -> JSONResponse:
        """The operator's own words, next or at once."""
        author = Author(name="operator", role="operator")
        job = Job(text=spoken_text(body.text), author=author, conv=body.conv, kind="say")
        return await _accept(show, job, now=body.now, wait_s=body.timeout_s if body.wait else 0)


def _add_sockets(app: FastAPI, show: Show) -> None:
    @app.websocket("/hub")
    async def hub(socket: WebSocket) -> None:
        await show.hub.serve(socket)

    @app.websocket("/stream")
    async def stream(socket: WebSocket) -> None:
        reader = show.stream.join()
        if reader is None:
            await socket.close(1013, "too many pages are open")
            return
        sender: asyncio.Task[None] | None = None
        try:
            await socket.accept()
            sender = asyncio.create_task(_send_stream(show, socket, reader))
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass  # pages have nothing to say here; their verbs are REST
        finally:
            show.stream.leave(reader)
            if sender is not None:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)


async def _send_stream(show: Show, socket: WebSocket, reader: Reader) -> None:
    try:
        async for frame in show.stream.read(reader):
            await socket.send_text(frame)
    except (WebSocketDisconnect, RuntimeError):
        pass


async def _accept(show: Show, job: Job, *, now: bool = False, wait_s: float) -> JSONResponse:
    show.conversation(job.conv)  # refused before anything is written down
    if job.must_survive and not await show.store.commit(job.story()):
        show.notice("error", "store_failed", "The line was taken, but could not be written down: check the disk.")
    try:
        show.offer(job, now=now)
    except KitsuError:  # it was the last free place a moment ago
        story = job.story()
        story.outcome, story.reason = "dropped", "queue_full"
        show.store.save(story)
        raise
    if not wait_s:
        await asyncio.sleep(TURN_FIRST_S)
        return JSONResponse({"turn_id": job.turn_id}, 202)
    try:
        async with asyncio.timeout(wait_s):
            story = await asyncio.shield(job.done)
    except TimeoutError:
        text = "The turn has not ended yet; ask for it again later."
        raise RefusedError(504, "timeout", text, turn_id=job.turn_id) from None
    return JSONResponse(story.as_json())


async def _story(show: Show, turn_id: str) -> dict[str, Any]:
    story = await show.story(turn_id)
    if story is None:
        raise RefusedError(404, "no_such_turn", "There is no turn of that id.")
    return story
