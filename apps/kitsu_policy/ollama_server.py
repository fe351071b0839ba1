"""One Ollama server, by way of the `ollama` package; whatever goes wrong is an `EngineError`.

What the package leaves to its users is dealt with here and in `ollama_transport`:

- its timeout is none, so a server that hangs would hang the show;
- it follows redirects and proxies of the environment, which would carry chat to other machines;
- an error in the middle of an answer comes as a `ResponseError` with status -1, since HTTP had said 200 by then;
- a server that is down is Python's `ConnectionError` for one call and `httpx.ConnectError` for another, a stream that
  breaks is `httpx.RemoteProtocolError`;
- it takes every line apart without looking: what is no JSON, or no object, surfaces as whatever that happens to raise.
"""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import httpx
from ollama import AsyncClient, ChatResponse, ResponseError

from kitsu.errors import EngineError
from kitsu_policy.ollama_address import OllamaAddress
from kitsu_policy.ollama_transport import BoundedTransport

MAX_REASON = 120  # characters of a server's complaint that are passed on
CANNOT_THINK = "does not support thinking"
_DISGUISED = -1  # the package's status for an error that came after HTTP's 200
_STATUS_CODES = {
    401: "bad_key",
    403: "bad_key",
    404: "no_such_model",
    408: "model_timeout",
    429: "model_busy",
    503: "model_busy",
}
_TRY_AGAIN = frozenset({_DISGUISED, 408, 409, 425, 429})


@dataclass(frozen=True, slots=True)
class Chat:
    """One request. Without `messages` the model is only loaded."""

    model: str
    messages: Sequence[Mapping[str, str]]
    options: Mapping[str, Any]
    keep_alive: str
    schema: dict[str, Any] | None = None


class Part(NamedTuple):
    """One line of an answer."""

    text: str
    thought: bool  # the model says something to itself
    done: str | None  # why the answer is over; None: it is not


class OllamaServer:
    """A long-lived connection. Use as an async context manager."""

    def __init__(self, address: OllamaAddress, connect_timeout_s: float) -> None:
        self._address = address
        self._cannot_think: set[str] = set()  # models
        self._client = AsyncClient(
            host=address.url,
            headers={"Accept-Encoding": "identity"},
            timeout=httpx.Timeout(None, connect=connect_timeout_s),  # the rest is timed where words are waited for
            follow_redirects=False,
            trust_env=False,
            transport=BoundedTransport(),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]  # the package types its calls, but not this one

    async def models(self) -> dict[str, int]:
        """The models that it has, with their tag, and the bytes of each on its disk.

        Raises:
            EngineError: `model_unreachable`, `model_cut`, `model_error`, `bad_key`, `bad_stream`.
        """
        with self._faults(not_found="bad_stream"):
            listed = await self._client.list()
        return {tagged(model.model): int(model.size or 0) for model in listed.models if model.model}

    async def chat(self, chat: Chat) -> AsyncGenerator[Part, None]:
        """The answer, line by line; closing the generator aborts the request.

        Raises:
            EngineError: `model_unreachable`, `model_cut`, `model_busy`, `model_error`, `no_such_model`, `bad_key`,
                `bad_stream`.
        """
        if chat.model not in self._cannot_think:
            try:
                async with aclosing(self._stream(chat, think=False)) as parts:
                    async for part in parts:
                        yield part
                return
            except _CannotThinkError:
                self._cannot_think.add(chat.model)
        async with aclosing(self._stream(chat, think=None)) as parts:
            async for part in parts:
                yield part

    async def _stream(self, chat: Chat, think: bool | None) -> AsyncGenerator[Part, None]:
        chunks = await self._client.chat(
            chat.model,
            chat.messages,
            stream=True,
            think=think,
            format=chat.schema,
            options=chat.options,
            keep_alive=chat.keep_alive,
        )
        assert isinstance(chunks, AsyncGenerator)
        async with aclosing(chunks):
            while True:
                with self._faults():
                    chunk = await anext(chunks, None)
                if chunk is None:
                    return
                yield _part(chunk)

    @contextmanager
    def _faults(self, not_found: str = "no_such_model") -> Iterator[None]:
        """Everything that the package raises, as an EngineError. `not_found`: code of a 404."""
        try:
            yield
        except ResponseError as error:
            raise _refusal(error, not_found) from None
        except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout):
            text = f"no Ollama answers at {self._address}"
            raise EngineError("model_unreachable", text, retryable=True) from None
        except httpx.HTTPError as error:
            text = f"Ollama broke off ({type(error).__name__})"
            raise EngineError("model_cut", text, retryable=True) from None
        except (ValueError, TypeError, AttributeError, RecursionError):
            text = f"what answers at {self._address} does not speak as an Ollama does; look at policy.ollama_url"
            raise EngineError("bad_stream", text) from None


class _CannotThinkError(EngineError):
    """The model knows no thinking, so it cannot be asked to leave it."""


def tagged(model: str) -> str:
    """A model's full name: without a tag, `latest` is meant."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"


def _part(chunk: ChatResponse) -> Part:
    done = (chunk.done_reason or "stop") if chunk.done else None
    return Part(chunk.message.content or "", bool(chunk.message.thinking), done)


def _refusal(error: ResponseError, not_found: str) -> EngineError:
    status = error.status_code
    reason = _reason(error.error)
    if status == 400 and CANNOT_THINK in reason:
        return _CannotThinkError("model_error", f"Ollama answered 400: {reason}")
    code = not_found if status == 404 else _STATUS_CODES.get(status, "model_error")
    said = "Ollama reports" if status == _DISGUISED else f"Ollama answered {status}"
    return EngineError(code, f"{said}: {reason}", retryable=status >= 500 or status in _TRY_AGAIN)


def _reason(complaint: object) -> str:
    """The server's own message on one line; no page of somebody else's, which may echo what viewers wrote."""
    text = " ".join(complaint.split()) if isinstance(complaint, str) else ""
    return "no reason given" if not text or text.startswith("<") else text[:MAX_REASON]
