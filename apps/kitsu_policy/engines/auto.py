"""Ollama when it answers on this machine and has a model, her own written lines when not.

While nothing listens at Ollama's port, neither the `ollama` package nor an HTTP library is imported.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, ClassVar, cast

from kitsu.config import PolicySettings
from kitsu.errors import EngineError, KitsuError
from kitsu.protocol import PolicyPrepare, PolicyRespond
from kitsu.telemetry import log
from kitsu_policy.background import background
from kitsu_policy.brain import Brain, Piece
from kitsu_policy.engines import engine_class
from kitsu_policy.engines.scripted import ScriptedBrain
from kitsu_policy.ollama_address import OllamaAddress

if TYPE_CHECKING:
    from kitsu_policy.engines.ollama import OllamaBrain

LOOK_EVERY_S = 3.0
MAX_PAUSE_S = 60.0  # before a model that fails again and again gets its next try
SECOND_KNOCK_S = 1.0  # a machine that is busy thinking may be slow to open
FIRST_LOOK_S = 5.0  # hello waits so long for a model that is being loaded


class AutoBrain(Brain):
    """Looks every few seconds whether there is an Ollama, and goes up to it and down from it."""

    name: ClassVar[str] = "auto"

    def __init__(
        self, settings: PolicySettings, *, look_every_s: float = LOOK_EVERY_S, first_look_s: float = FIRST_LOOK_S
    ) -> None:
        super().__init__(settings)
        self._address = OllamaAddress.parse(settings.ollama_url)
        self._look_every_s = look_every_s
        self._first_look_s = first_look_s
        self._scripted = ScriptedBrain(settings)
        self._ollama: OllamaBrain | None = None  # made when something listens
        self._active: Brain = self._scripted
        self._order: PolicyPrepare | None = None
        self._nobody = f"no Ollama answers at {self._address}"
        self._why = self._nobody  # she has only her own lines
        self._looked = asyncio.Event()
        self._failures = 0  # answers in a row
        self._not_before = 0.0  # loop time of the next try

    @property
    def active(self) -> Brain:
        return self._active

    @property
    def note(self) -> str:
        return f"demo brain: her own lines; {self._why}" if self._active is self._scripted else self._active.note

    async def load(self, stack: AsyncExitStack) -> None:
        await self._scripted.load(stack)
        if not self._address.is_local:
            self._why = f"the Ollama at {self._address} is on another machine: policy.engine = ollama to use it"
            return
        await stack.enter_async_context(background(self._watch()))
        try:
            async with asyncio.timeout(self._first_look_s):
                await self._looked.wait()
        except TimeoutError:
            self._note(f"the Ollama at {self._address} is not ready yet")

    def prepare(self, order: PolicyPrepare) -> None:
        self._order = order
        self._scripted.prepare(order)
        if self._ollama is not None:
            self._ollama.prepare(order)

    async def answer(self, request: PolicyRespond) -> AsyncGenerator[Piece, None]:
        brain = self._active
        if brain is self._scripted or self._order is None:
            async with aclosing(self._ask(self._scripted, request)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        said = False
        try:
            async with aclosing(self._ask(brain, request)) as pieces:
                async for piece in pieces:
                    said = True
                    yield piece
            self._failures = 0
            return
        except EngineError as error:
            if error.code == "bad_schema":
                raise
            self._fall(brain, error)
            if said or request.schema:
                raise
        async with aclosing(self._ask(self._scripted, request)) as pieces:
            async for piece in pieces:
                yield piece

    async def _ask(self, brain: Brain, request: PolicyRespond) -> AsyncGenerator[Piece, None]:
        async with aclosing(brain.answer(request)) as pieces:
            async for piece in pieces:
                yield piece._replace(engine=brain.name)

    async def _watch(self) -> None:
        async with AsyncExitStack() as stack:
            if self.settings.ollama_autostart:
                await self._start_program(stack)
            while True:
                await self._look(stack)
                self._looked.set()
                await asyncio.sleep(self._look_every_s)

    async def _start_program(self, stack: AsyncExitStack) -> None:
        from kitsu_policy.ollama_program import serve_ollama  # psutil is for those who asked for this

        try:
            await serve_ollama(self._address, stack)
        except EngineError as error:
            self._nobody = error.message
            self.on_error(error)

    async def _look(self, stack: AsyncExitStack) -> None:
        """One look: a knock at the port, and more only if somebody opens."""
        has_model = self._active is not self._scripted
        if not await self._address.listens() and not (has_model and await self._address.listens(SECOND_KNOCK_S)):
            self._down(self._nobody)
        elif self._active is self._scripted and asyncio.get_running_loop().time() >= self._not_before:
            await self._try(stack)

    async def _try(self, stack: AsyncExitStack) -> None:
        try:
            brain = await self._met(stack)
            await brain.warm_up()
        except KitsuError as error:
            self._down(error.message)
            return
        self._active, self.trouble = brain, ""
        log.info("policy.chosen", engine=brain.name, note=brain.note)
        self.on_change()

    async def _met(self, stack: AsyncExitStack) -> "OllamaBrain":
        """Ollama's brain, made at the first meeting."""
        if self._ollama is None:
            # in a thread: these imports take some tenths of a second, and she may be speaking
            made = cast("type[OllamaBrain]", await asyncio.to_thread(engine_class, "ollama"))
            brain = made(self.settings, only_here=True)
            brain.on_change = lambda: self.on_change()
            await brain.open(stack)
            if self._order is not None:
                brain.prepare(self._order)
            self._ollama = brain
        return self._ollama

    def _fall(self, brain: Brain, error: EngineError) -> None:
        """An answer failed: her own lines until the model has shown that it works again, each time a bit later."""
        self._failures += 1
        pause_s = min(MAX_PAUSE_S, self._look_every_s * 2 ** min(self._failures, 10))
        self._not_before = asyncio.get_running_loop().time() + pause_s
        text = f"{brain.note} failed ({error.message}); her own lines answer until it works again"
        self.on_error(EngineError(error.code, text, retryable=error.retryable))
        self._down(error.message)

    def _down(self, why: str) -> None:
        """Her own lines from now on. Having had a model and lost it is trouble; never having had one is not."""
        lost = self._active is not self._scripted
        if not lost and why == self._why:
            return
        if lost:
            log.warning("policy.chosen", engine=self._scripted.name, why=why)
            self._active = self._scripted
        if lost or self.trouble:
            self.trouble = f"no language model any more: {why}"
        self._note(why)

    def _note(self, why: str) -> None:
        self._why = why
        self.on_change()
