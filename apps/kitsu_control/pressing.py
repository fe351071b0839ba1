"""`POST /api/v1/control/panic`: the button.

The pages here fall silent first; orchestrator and launcher are told at the same time, so that neither one's death
keeps the other from acting. The answer lists every exit as it stands after at most 0.9 s.
"""

import asyncio
import time
from typing import Annotated, Literal

import httpx
import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kitsu.panic import pressed
from kitsu.protocol import Panic, PanicExit
from kitsu.telemetry import log
from kitsu_control.answers import read_struct
from kitsu_control.locks import Locks
from kitsu_control.panic import PanicRound
from kitsu_control.relay import Relay

ANSWER_WITHIN_S = 0.9


class Press(msgspec.Struct):
    """Body of the request; all of it optional."""

    by: Literal["page", "key", "cli", "rest"] = "page"
    panic_id: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9_-]*$")] = ""


class _Answer(msgspec.Struct):
    exits: tuple[PanicExit, ...] = ()


class PanicButton:
    """The endpoint, and the same over again for a hub that was away."""

    def __init__(self, client: httpx.AsyncClient, relay: Relay, locks: Locks, urls: dict[str, str], token: str) -> None:
        self._client = client
        self._relay = relay
        self._locks = locks
        self._urls = urls  # "orchestrator" and "launcher" -> where their panic is
        self._headers = {"authorization": f"Bearer {token}"}

    def routes(self) -> list[Route]:
        return [Route("/api/v1/control/panic", self.press, methods=["POST"])]

    async def press(self, request: Request) -> Response:
        """The button."""
        self._locks.want_sign_in(request)
        began = time.perf_counter()
        body = await read_struct(request, Press)
        panic = pressed(body.by)
        if body.panic_id:
            panic = Panic(panic_id=body.panic_id, pressed_at=panic.pressed_at, by=panic.by)
        here = self._relay.silence(panic)
        exits = await self._everywhere(panic, here)
        took_ms = round((time.perf_counter() - began) * 1000, 1)
        log.warning("panic.pressed", panic_id=panic.panic_id, by=panic.by, took_ms=took_ms)
        data = {"panic_id": panic.panic_id, "exits": [msgspec.to_builtins(one) for one in exits], "took_ms": took_ms}
        return JSONResponse(data)

    async def repeat(self, panic: Panic) -> None:
        """Tell an orchestrator that was away when the button was pressed."""
        await self._tell("orchestrator", panic)

    async def _everywhere(self, panic: Panic, here: PanicRound) -> list[PanicExit]:
        async with asyncio.TaskGroup() as group:
            orchestrator = group.create_task(self._tell("orchestrator", panic))
            launcher = group.create_task(self._tell("launcher", panic))
            settled = group.create_task(here.settled.wait())
            waiting = {orchestrator, launcher, settled}
            await asyncio.wait(waiting, timeout=ANSWER_WITHIN_S)
            for task in waiting:
                task.cancel()
        exits = {one.exit: one for one in here.exits()}
        for path, task in (("orchestrator", orchestrator), ("launcher", launcher)):
            told = None if task.cancelled() else task.result()
            if isinstance(told, list):
                measured_here = {name for name, one in exits.items() if one.state == "confirmed"}
                exits |= {one.exit: one for one in told if one.exit not in measured_here}
            else:
                exits[path] = _silent(path, told, here)
        return list(exits.values())

    async def _tell(self, path: str, panic: Panic) -> list[PanicExit] | str:
        """The exits that it confirmed, or why it did not take the order."""
        try:
            answer = await self._client.post(
                self._urls[path], content=msgspec.json.encode(panic), headers=self._headers, timeout=2.0
            )
            if answer.status_code >= 300:
                return f"answered {answer.status_code}"
            return list(msgspec.json.decode(answer.content, type=_Answer).exits)
        except httpx.TransportError as error:
            return type(error).__name__
        except msgspec.MsgspecError:
            return "answered nonsense"


def _silent(path: str, why: str | None, here: PanicRound) -> PanicExit:
    """An exit for a path that did not answer well. The hub may have ordered the panic and still wait for an exit."""
    if why is None and path == "orchestrator" and here.hub_knows:
        return PanicExit(exit=path, state="pending", detail="took the order; waits for its exits")
    return PanicExit(exit=path, state="late", detail=why or f"no answer within {ANSWER_WITHIN_S} s")
