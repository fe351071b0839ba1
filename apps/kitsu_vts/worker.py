"""The body in VTube Studio as a hub worker."""

import time
from contextlib import AsyncExitStack
from typing import ClassVar

from msgspec.structs import replace

from kitsu.characters import load_character
from kitsu.config import ShowSettings, home, load
from kitsu.protocol import (
    STAGE,
    BodyDirect,
    Capabilities,
    ControlLevels,
    ControlPanic,
    ControlResume,
    HelloAccepted,
    Message,
    Panic,
    PanicConfirmed,
    PlayoutFinished,
    PlayoutFrame,
    PlayoutProgress,
    PlayoutStarted,
    Role,
    ShowLevels,
    SinkFlush,
    VtsDone,
    VtsExpress,
    VtsReset,
    VtsState,
    type_of,
)
from kitsu.services import SERVICES
from kitsu.telemetry import log
from kitsu.worker import Process, Worker
from kitsu_vts.actor import Actor
from kitsu_vts.config import VtsSettings
from kitsu_vts.errors import VtsError
from kitsu_vts.link import Link
from kitsu_vts.vocabulary import load_map

HOW_TO = f"not configured: {SERVICES['vts'].how_to}"


class VtsWorker(Worker):
    """Hub in, VTube Studio out."""

    role: ClassVar[Role] = "vts"

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._actor: Actor | None = None
        self._link: Link | None = None
        self._told = VtsState()

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        settings = load("vts", VtsSettings)
        if not settings.enabled:
            self.capabilities = Capabilities(features=("not_configured",), note=HOW_TO)
            self.feel("ok", HOW_TO)
            self._told = VtsState(reason=HOW_TO)
            return self.capabilities
        where = home()
        character = load_character(load("show", ShowSettings).character, where.configs / "characters")
        self._actor = Actor(settings, self._confirm, self._changed)
        self._actor.orders.actions = character.actions
        words = sorted((character.expressions | character.actions) - {"neutral"})
        token_file = where.secrets / "vts_token"
        self._link = Link(settings, token_file, words, load_map(where), self._actor, self._changed)
        self.capabilities = Capabilities(engine="vtube studio", features=("mouth", "expressions"))
        self._changed()
        running = self.tasks.create_task(self._link.run(), name="link")
        stack.callback(running.cancel)
        return self.capabilities

    async def joined(self, accepted: HelloAccepted) -> None:
        if self._actor is not None:
            self._actor.hush(accepted.gens.get(STAGE, 0))
            self._take_levels(accepted.levels)
        self.send(self._told)

    async def lost(self) -> None:
        if self._actor is not None:
            self._actor.relax()

    def handle(self, message: Message, payload: memoryview | None) -> None:
        match message:
            case VtsExpress() | VtsReset():
                self.tasks.create_task(self._obey(message), name=type_of(message))
            case _ if self._actor is None:
                pass  # not configured: what the stage does is no business of ours
            case ControlPanic(panic=panic, gens=gens):
                self._actor.timeline.flush(gens.get(STAGE, 0))
                self._actor.press(panic)
            case ControlResume(levels=levels, gens=gens):
                self._actor.hush(gens.get(STAGE, 0))
                self._take_levels(levels)
            case ControlLevels(levels=levels):
                self._take_levels(levels)
            case _ if message.conv == STAGE:
                self._perform(self._actor, message)
            case _:
                pass  # private conversations never reach the stage's body

    def latency_ms(self) -> dict[str, float]:
        return self._actor.latency.summary("mouth") if self._actor is not None else {}

    # how

    def _perform(self, actor: Actor, message: Message) -> None:
        now = time.perf_counter()
        match message:
            case PlayoutFrame():
                silent = not actor.timeline.speaking(now)
                actor.timeline.frame(message, now)
                if silent:
                    actor.wake()
            case PlayoutProgress():
                actor.timeline.progress(message, now)
            case BodyDirect():
                actor.timeline.direct(message)
            case PlayoutFinished():
                actor.timeline.finished(message)
            case SinkFlush():
                actor.hush(message.gen)
            case PlayoutStarted():
                pass
            case _:
                log.warning("vts.unexpected_message", type=type_of(message))

    def _take_levels(self, levels: ShowLevels) -> None:
        assert self._actor is not None
        self._actor.set_levels(muted=levels.muted, panicked=levels.panic is not None)

    def _confirm(self, panic: Panic, seconds: float, detail: str) -> None:
        ms = round(seconds * 1000, 1)
        self.send(PanicConfirmed(panic_id=panic.panic_id, exit="vts", latency_ms=ms, detail=f"{detail}, after {ms} ms"))

    async def _obey(self, message: VtsExpress | VtsReset) -> None:
        began = time.perf_counter()
        try:
            confirmed_by = await (self._express(message.word) if isinstance(message, VtsExpress) else self._reset())
            done = VtsDone(parent_id=message.id, confirmed_by=confirmed_by)
        except VtsError as error:
            done = VtsDone(parent_id=message.id, code=error.code, message=error.message)
        latency_ms = round((time.perf_counter() - began) * 1000, 1)
        self.send(replace(done, latency_ms=latency_ms))

    async def _express(self, word: str) -> str:
        if self._actor is None:
            raise VtsError("vts_not_configured", f"VTube Studio is {HOW_TO}")
        return await self._actor.order(word)

    async def _reset(self) -> str:
        if self._link is None:
            raise VtsError("vts_not_configured", f"VTube Studio is {HOW_TO}")
        await self._link.reset()
        if self._link.state != "connected":
            raise VtsError(f"vts_{self._link.state}", self._link.reason, retryable=True)
        return "model state"

    def _changed(self) -> None:
        """Tell hub and launcher how the link is."""
        assert self._actor is not None
        if self._link is None:
            return
        link, actor = self._link, self._actor
        reason = link.reason or actor.trouble
        state = VtsState(
            link=link.state,
            reason=reason,
            version=link.version,
            model=link.model.name,
            wearing=actor.face.word,
            words={word: str(target) for word, target in link.words.items()},
            missing=tuple(word for word in link.vocabulary if word not in link.words) if link.model.name else (),
        )
        self.feel("degraded" if reason else "ok", reason)
        if _bare(state) != _bare(self._told):
            self._told = state
            self.send(state)


def _bare(state: VtsState) -> VtsState:
    """Without what makes every message unlike all others."""
    return replace(state, id="", ts=0)
