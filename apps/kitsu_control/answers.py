"""What the door answers, and how it reads what it is sent."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse

from kitsu.errors import KitsuError

MAX_BODY_BYTES = 64 << 10
BODY_TIMEOUT_S = 10.0

StructT = TypeVar("StructT", bound=msgspec.Struct)


class RequestError(KitsuError):
    """The request is answered with `status` and the error's code and message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code, message)
        self.status = status


def problem(status: int, code: str, message: str) -> JSONResponse:
    """An error as every API of Kitsu tells it."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


async def refused(_request: Request, error: Exception) -> JSONResponse:
    """Starlette's handler for `RequestError`."""
    assert isinstance(error, RequestError)
    return problem(error.status, error.code, error.message)


async def read_body(request: Request) -> bytes:
    """The whole body.

    Raises:
        RequestError: 413 `body_too_large` over MAX_BODY_BYTES, 408 `body_too_slow` after BODY_TIMEOUT_S.
    """
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return b"".join([piece async for piece in _bounded(request, MAX_BODY_BYTES)])
    except TimeoutError:
        raise _too_slow() from None


async def piped_body(request: Request, limit: int) -> AsyncIterator[bytes]:
    """A large body, as it comes: nothing of it is kept here.

    Raises:
        RequestError: 413 `body_too_large` over `limit` bytes, 408 `body_too_slow` when BODY_TIMEOUT_S brought nothing.
    """
    pieces = _bounded(request, limit)
    while True:
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                piece = await anext(pieces, None)
        except TimeoutError:
            raise _too_slow() from None
        if piece is None:
            return
        yield piece


async def _bounded(request: Request, limit: int) -> AsyncIterator[bytes]:
    size = int(announced) if (announced := request.headers.get("content-length", "0")).isdecimal() else 0
    came = 0
    try:
        async for piece in request.stream():
            came += len(piece)
            if max(came, size) > limit:
                raise RequestError(413, "body_too_large", f"The body is over {_in_words(limit)}.")
            yield piece
    except ClientDisconnect:  # nobody will read that
        raise RequestError(400, "body_cut", "The body broke off before its end.") from None


def _in_words(size: int) -> str:
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KB"


def _too_slow() -> RequestError:
    return RequestError(408, "body_too_slow", f"The body did not come within {BODY_TIMEOUT_S:.0f} s.")


async def read_struct(request: Request, kind: type[StructT]) -> StructT:
    """The JSON body as `kind`; an empty body counts as `{}`.

    Raises:
        RequestError: 422 `bad_body`, and those of `read_body`.
    """
    try:
        return msgspec.json.decode(await read_body(request) or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(422, "bad_body", f"The body is not what this address takes: {error}") from None
