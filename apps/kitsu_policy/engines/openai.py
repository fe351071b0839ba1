"""Any server with the OpenAI chat API (`POST /chat/completions`): llama.cpp, vLLM, LM Studio, Ollama's /v1, OpenAI.

No SDK: one long-lived client, the request written once, events taken apart by hand.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import ClassVar

import httpx

from kitsu.config import PolicySettings
from kitsu.errors import ConfigError, EngineError
from kitsu.protocol import PolicyPrepare, PolicyRespond
from kitsu_policy.brain import Brain, Piece
from kitsu_policy.events import Event, EventReader, complaint
from kitsu_policy.patience import Patience
from kitsu_policy.prompts import PromptWriter

WARM_UP_S = 5.0
DRAIN_S = 0.5  # for the rest of a stream after the answer's end, so that its connection can be used again
MAX_ERROR_BYTES = 4_000
MAX_CHARS_PER_TOKEN = 16  # more than that, and the server ignores max_tokens
_STALE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_STATUS_CODES = {401: "bad_key", 403: "bad_key", 404: "no_such_model", 408: "model_timeout", 429: "model_busy"}
_TRY_AGAIN = frozenset({408, 409, 425, 429})


class OpenAiBrain(Brain):
    """A language model behind HTTP."""

    name: ClassVar[str] = "openai"

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        try:
            base = httpx.URL(settings.base_url)
        except httpx.InvalidURL:
            base = httpx.URL()
        if base.scheme not in ("http", "https") or not base.host:
            raise ConfigError("bad_setting", f"policy.base_url = {settings.base_url!r}: wants http://HOST:PORT/v1")
        if not (settings.api_key.isascii() and settings.api_key.isprintable()):
            raise ConfigError("bad_setting", "policy.api_key = (hidden): wants plain letters, digits and signs only")
        self._host = base.host
        self._url = settings.base_url.rstrip("/") + "/chat/completions"
        self._prompts: PromptWriter | None = None

    @property
    def note(self) -> str:
        return f"language model {self.settings.model!r} at {self._host}"

    async def load(self, stack: AsyncExitStack) -> None:
        key = self.settings.api_key
        self._client = httpx.AsyncClient(
            headers={
                "Content-Type": "application/json",
                "Accept": "text/event-stream",
                "Accept-Encoding": "identity",
                **({"Authorization": f"Bearer {key}"} if key else {}),
            },
            timeout=httpx.Timeout(None, connect=self.settings.connect_timeout_s),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=600),
            follow_redirects=False,
            trust_env=False,
        )
        await stack.enter_async_context(self._client)
        await self._warm_up()

    def prepare(self, order: PolicyPrepare) -> None:
        self._prompts = PromptWriter(self.settings.model, order.system)

    async def answer(self, request: PolicyRespond) -> AsyncGenerator[Piece, None]:
        if self._prompts is None:
            raise EngineError("not_prepared", "the model does not know yet whom to play; it waits for the character")
        async with aclosing(self._ask(self._prompts, request)) as pieces:
            async for piece in pieces:
                yield piece

    async def _ask(self, prompts: PromptWriter, request: PolicyRespond) -> AsyncGenerator[Piece, None]:
        body = prompts.write(request)
        stream = _TimedStream(self.settings.first_token_timeout_s)
        try:
            async with self._opened(stream, body), aclosing(self._events(stream)) as events:
                left = request.max_tokens * MAX_CHARS_PER_TOKEN
                async for event in events:
                    left -= len(event.text)
                    end = "length" if left < 0 else event.end
                    yield Piece(event.text, end)
                    if end:
                        await stream.drain(DRAIN_S)
                        break
                else:
                    raise EngineError("model_cut", "the model's server broke off in the middle", retryable=True)
        except TimeoutError:
            raise self._failed("model_timeout", f"no word from the model for {stream.seconds:g} s") from None
        except httpx.ConnectTimeout:
            raise self._failed("model_unreachable", f"{self._host} did not take the call in time") from None
        except httpx.ConnectError:
            raise self._failed("model_unreachable", f"nothing answers at {self.settings.base_url}") from None
        except httpx.HTTPError as error:
            raise self._failed("model_cut", f"the model's server broke off ({type(error).__name__})") from None
        except EngineError as error:
            self.trouble = error.message
            raise
        self.trouble = ""

    @asynccontextmanager
    async def _opened(self, stream: "_TimedStream", body: bytes) -> AsyncIterator[None]:
        """The answer's head is here and is good. Leaving before its end aborts the request."""
        request = self._client.build_request("POST", self._url, content=body)
        async with stream.limit():
            try:
                response = await self._client.send(request, stream=True)
            except _STALE:  # the server closed an idle connection in the moment of its use
                response = await self._client.send(request, stream=True)
        try:
            stream.chunks = response.aiter_raw()
            await _check(response, stream)
            yield
        finally:
            await response.aclose()

    async def _events(self, stream: "_TimedStream") -> AsyncGenerator[Event, None]:
        """Events with text or the end in them."""
        reader = EventReader()
        while data := await stream.read():
            for event in reader.feed(data):
                stream.renew(self.settings.token_timeout_s)
                if event.text or event.end:
                    yield event
        for event in reader.finish():
            yield event

    async def _warm_up(self) -> None:
        """One short request, so that the first turn finds connection and model warm. A failure only degrades."""
        hello = PolicyRespond(prompt="Hi", max_tokens=1, temperature=0.0)
        said = False
        try:
            async with asyncio.timeout(WARM_UP_S):
                async with aclosing(self._ask(PromptWriter(self.settings.model, "Say hi."), hello)) as pieces:
                    async for _ in pieces:
                        said = True
        except TimeoutError:
            if not said:
                self.trouble = "the model has not answered yet; it may still be loading"
        except EngineError as error:
            self.trouble = error.message

    def _failed(self, code: str, message: str) -> EngineError:
        self.trouble = message
        return EngineError(code, message, retryable=True)


class _TimedStream(Patience):
    """A response's bytes against a deadline."""

    chunks: AsyncIterator[bytes]

    async def read(self) -> bytes:
        """Some bytes; none at the end."""
        async with self.limit():
            return await anext(self.chunks, b"")

    async def drain(self, patience_s: float) -> None:
        """Read what is left, if it comes soon: a connection that was read to its end is used again."""
        self.renew(patience_s)
        with suppress(TimeoutError, httpx.HTTPError):
            while await self.read():
                pass


async def _check(response: httpx.Response, stream: _TimedStream) -> None:
    """Raises:
    EngineError: `bad_key`, `no_such_model`, `model_busy`, `model_timeout`, `model_error`, `bad_stream`.
    """
    status = response.status_code
    kind = response.headers.get("content-type", "").lower()
    if status == 200 and not kind.startswith(("application/json", "text/html")):
        return
    said = b""
    while (data := await stream.read()) and len(said) < MAX_ERROR_BYTES:
        said += data
    if status == 200 and b'"error"' not in said:
        raise EngineError("bad_stream", f"the model's server sent {kind} where a stream was asked for")
    raise EngineError(
        _STATUS_CODES.get(status, "model_error"),
        f"the model's server answered {status}: {complaint(said[:MAX_ERROR_BYTES])}",
        retryable=status == 200 or status >= 500 or status in _TRY_AGAIN,
    )
