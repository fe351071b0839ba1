"""A language model by Ollama, on this machine or another: `POST /api/chat` through the `ollama` package."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, suppress
from typing import ClassVar

from kitsu.config import PolicySettings
from kitsu.errors import EngineError
from kitsu.protocol import PolicyPrepare, PolicyRespond
from kitsu_policy.background import background
from kitsu_policy.brain import Brain, End, Piece
from kitsu_policy.context_budget import estimated_tokens, newest_that_fit
from kitsu_policy.ollama_address import OllamaAddress
from kitsu_policy.ollama_program import serve_ollama
from kitsu_policy.ollama_server import Chat, OllamaServer, Part, tagged
from kitsu_policy.patience import Patience
from kitsu_policy.prompts import encodable, parsed_schema

WARM_UP_S = 5.0  # hello waits so long for the model; a larger one goes on loading behind it
LOAD_S = 300.0  # a large model from a slow disk
DRAIN_S = 0.5  # for the rest of a stream after the answer's end, so that its connection can be used again
MAX_CHARS_PER_TOKEN = 16  # more than that, and the server ignores num_predict
MIN_WEIGHTS_BYTES = 1_000_000  # a model of Ollama's cloud is listed, too, with a few hundred bytes: it runs elsewhere


class OllamaBrain(Brain):
    """The first model of `policy.models` that the server has; when it disappears, the next one."""

    name: ClassVar[str] = "ollama"

    def __init__(
        self,
        settings: PolicySettings,
        *,
        only_here: bool = False,
        warm_up_s: float = WARM_UP_S,
        load_s: float = LOAD_S,
    ) -> None:
        super().__init__(settings)
        self._address = OllamaAddress.parse(settings.ollama_url)
        self._only_here = only_here  # no model that runs elsewhere
        self._warm_up_s = warm_up_s
        self._load_s = load_s
        self._model = ""
        self._system: str | None = None
        self._server: OllamaServer

    @property
    def note(self) -> str:
        where = "" if self._address.is_local else f" at {self._address}"
        return f"{self._model or 'no model yet'} by Ollama{where}"

    async def load(self, stack: AsyncExitStack) -> None:
        await self.open(stack)
        beginning = await stack.enter_async_context(background(self._begin(stack)))
        await asyncio.wait({beginning}, timeout=self._warm_up_s)
        if not beginning.done():
            self._feel("the model has not answered yet; it may still be loading")

    async def open(self, stack: AsyncExitStack) -> None:
        """Make the connection's client; nothing is asked yet."""
        self._server = await stack.enter_async_context(OllamaServer(self._address, self.settings.connect_timeout_s))

    async def warm_up(self) -> None:
        """Choose a model, have it loaded and hear one token of it. Takes as long as the model takes to load.

        Raises:
            EngineError: there is no model that answers; the codes of an answer.
        """
        self._model = ""
        gone: set[str] = set()
        try:
            async with asyncio.timeout(self._load_s):
                while not await self._woken(gone):
                    pass
        except TimeoutError:
            text = f"{self._model or 'Ollama'} is still not loaded after {self._load_s:g} s"
            raise EngineError("model_timeout", text, retryable=True) from None

    def prepare(self, order: PolicyPrepare) -> None:
        self._system = encodable(order.system)

    async def answer(self, request: PolicyRespond) -> AsyncGenerator[Piece, None]:
        if self._system is None:
            raise EngineError("not_prepared", "the model does not know yet whom to play; it waits for the character")
        parsed_schema(request)  # a form that is none is the asker's trouble, not the model's
        try:
            async with aclosing(self._ask(self._system, request)) as pieces:
                async for piece in pieces:
                    yield piece
        except EngineError as error:
            self._feel(error.message)
            raise
        self._feel("")

    async def _begin(self, stack: AsyncExitStack) -> None:
        """From nothing to a warm model. A failure only degrades."""
        try:
            if self.settings.ollama_autostart and self._address.is_local:
                await serve_ollama(self._address, stack)
            await self.warm_up()
        except EngineError as error:
            self._feel(error.message)
            self.on_error(error)
        else:
            self._feel("")

    async def _woken(self, gone: set[str]) -> bool:
        """Whether the best model that is not `gone` is loaded and speaks; False: it is gone, too."""
        model = await self._choose(gone)
        options = {"num_ctx": self.settings.context_tokens}  # another context would load the model anew
        hello = PolicyRespond(prompt="Hi", max_tokens=1, temperature=0.0)
        try:
            async with aclosing(self._server.chat(Chat(model, (), options, self.settings.keep_alive))) as loading:
                async for _ in loading:
                    pass
            async with aclosing(self._stream(self._chat(model, self._system or "Say hi.", hello), hello)) as pieces:
                async for _ in pieces:
                    pass
        except EngineError as error:
            self._forget(model, error, gone)
            return False
        return True

    async def _ask(self, system: str, request: PolicyRespond) -> AsyncGenerator[Piece, None]:
        patience = Patience(self.settings.first_token_timeout_s)
        gone: set[str] = set()
        while True:
            try:
                async with patience.limit():
                    model = await self._choose(gone)
            except TimeoutError:
                raise EngineError("model_timeout", "Ollama does not say which models it has", retryable=True) from None
            try:
                async with aclosing(self._stream(self._chat(model, system, request), request, patience)) as pieces:
                    async for piece in pieces:
                        yield piece
                return
            except EngineError as error:
                self._forget(model, error, gone)

    async def _choose(self, gone: set[str]) -> str:
        """The model in use, or the first of the list that the server has and that is not `gone`."""
        if self._model:
            return self._model
        there = await self._server.models()
        for model in map(tagged, self.settings.models):
            here = there.get(model, -1) >= (MIN_WEIGHTS_BYTES if self._only_here else 0)
            if here and model not in gone:
                self._model = model
                self.on_change()
                return model
        first = self.settings.models[0]
        text = f"Ollama at {self._address} has none of policy.models; `ollama pull {first}` gets the first"
        raise EngineError("no_such_model", text)

    def _forget(self, model: str, error: EngineError, gone: set[str]) -> None:
        """The next model's turn, if this one is not there any more.

        Raises:
            EngineError: `error`, when it says anything else.
        """
        if error.code != "no_such_model":
            raise error
        gone.add(model)
        if self._model == model:
            self._model = ""

    def _chat(self, model: str, system: str, request: PolicyRespond) -> Chat:
        """The request. The oldest history goes first when the context is too small; system prompt and line stay."""
        settings, prompt = self.settings, encodable(request.prompt)
        needed = estimated_tokens(system) + estimated_tokens(prompt) + request.max_tokens
        history = newest_that_fit(request.history, settings.context_tokens - needed)
        return Chat(
            model=model,
            messages=(
                {"role": "system", "content": system},
                *({"role": line.role, "content": encodable(line.text)} for line in history),
                {"role": "user", "content": prompt},
            ),
            options={
                "num_predict": request.max_tokens,
                "temperature": request.temperature,
                "num_ctx": settings.context_tokens,
            },
            keep_alive=settings.keep_alive,
            schema=parsed_schema(request),
        )

    async def _stream(
        self, chat: Chat, request: PolicyRespond, patience: Patience | None = None
    ) -> AsyncGenerator[Piece, None]:
        """One answer. Only words count as signs of life: a model may think to itself for ever."""
        patience = patience or Patience(self.settings.first_token_timeout_s)
        said = thought = 0
        async with aclosing(self._server.chat(chat)) as parts:
            while True:
                try:
                    async with patience.limit():
                        part = await anext(parts, None)
                except TimeoutError:
                    doing = "; it thinks, and cannot be kept from it" if thought and not said else ""
                    text = f"no word from {chat.model} for {patience.seconds:g} s{doing}"
                    raise EngineError("model_timeout", text, retryable=True) from None
                if part is None:
                    raise EngineError("model_cut", "Ollama broke off in the middle", retryable=True)
                thought += part.thought
                if part.text:
                    said += len(part.text)
                    patience.renew(self.settings.token_timeout_s)
                end = "length" if said > request.max_tokens * MAX_CHARS_PER_TOKEN else _end(part, said)
                if part.text or end:
                    yield Piece(part.text, end)
                if end:
                    await _drain(parts)
                    return

    def _feel(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self.on_change()


def _end(part: Part, said: int) -> End | None:
    """How the answer ends with this part.

    Raises:
        EngineError: `model_unloaded`.
    """
    if part.done in ("load", "unload") and not said:
        raise EngineError("model_unloaded", f"Ollama answered with {part.done!r} instead of words", retryable=True)
    if part.done is None:
        return None
    return "length" if part.done == "length" else "stop"


async def _drain(parts: AsyncGenerator[Part, None]) -> None:
    """Read what is left, if it comes soon: a connection that was read to its end is used again."""
    with suppress(TimeoutError, EngineError):
        async with asyncio.timeout(DRAIN_S):
            async for _ in parts:
                pass
