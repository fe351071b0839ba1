"""What the door answers, and how it reads what it is sent."""

import asyncio
from typing import TypeVar

import msgspec
from starlette.requests import Request
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
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise RequestError(413, "body_too_large", f"The body is over {MAX_BODY_BYTES // 1024} KB.")
    except TimeoutError:
        raise RequestError(408, "body_too_slow", f"The body did not come within {BODY_TIMEOUT_S:.0f} s.") from None
    return bytes(body)


async def read_struct(request: Request, kind: type[StructT]) -> StructT:
    """The JSON body as `kind`; an empty body counts as `{}`.

    Raises:
        RequestError: 422 `bad_body`, and those of `read_body`.
    """
    try:
        return msgspec.json.decode(await read_body(request) or b"{}", type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(422, "bad_body", f"The body is not what this address takes: {error}") from None
