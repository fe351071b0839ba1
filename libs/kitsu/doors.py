"""What stands in front of every local HTTP and websocket door.

A page that the streamer visits must not drive the show: so only known `Host` values (against DNS rebinding), no foreign
`Origin`, a bearer token on all but the open paths, and a bound on bodies before anything reads them.
"""

import hmac
import json
from collections.abc import Iterable, Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 << 10


def local_hosts(port: int, extra: Iterable[str] = ()) -> frozenset[str]:
    """The `Host` values that mean this machine."""
    return frozenset({f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", *extra})


class Guard:
    """ASGI middleware for doors that programs use (not browsers): any `Origin` is foreign here.

    `large`: paths that take more than `MAX_BODY_BYTES`, and how much.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        token: str,
        hosts: frozenset[str],
        open_paths: frozenset[str],
        large: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()
        self._hosts = hosts
        self._open_paths = open_paths
        self._large = large or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope), scope["path"])
        if refusal is None:
            await LimitedBody(receive, send, self._limit(scope["path"])).run(self._app, scope)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 4403, "reason": refusal[1]})
        else:
            await refuse(send, *refusal)

    def _refusal(self, headers: Headers, path: str) -> tuple[int, str, str] | None:
        if headers.get("host", "") not in self._hosts:
            return 421, "bad_host", "This address is not served under that host name."
        if "origin" in headers:
            return 403, "bad_origin", "Web pages may not use this door; open the control page instead."
        if path not in self._open_paths:
            given = headers.get("authorization", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, self._expected):
                return 401, "bad_token", "Send `Authorization: Bearer` with the token from secrets/token."
        limit = self._limit(path)
        if too_large(headers, limit):
            return 413, "body_too_large", f"At most {limit} bytes, please."
        return None

    def _limit(self, path: str) -> int:
        return self._large.get(path, MAX_BODY_BYTES)


def too_large(headers: Headers, limit: int = MAX_BODY_BYTES) -> bool:
    """Whether the announced length is over the limit (or nonsense)."""
    length = headers.get("content-length", "0")
    return not length.isascii() or not length.isdigit() or int(length[:12]) > limit


class BodyTooLargeError(Exception):
    """A body without an announced length grew over the limit."""


class LimitedBody:
    """One request whose body is counted as it comes; over the limit, the answer is 413 whatever the app makes of it."""

    def __init__(self, receive: Receive, send: Send, limit: int = MAX_BODY_BYTES) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._taken = 0
        self._answered = False

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Let the app answer, if the body allows."""
        try:
            await app(scope, self._next, self._answer)
        except BodyTooLargeError:
            await self._refuse()

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._taken += len(message.get("body", b""))
            if self._taken > self._limit:
                raise BodyTooLargeError
        return message

    async def _answer(self, message: Message) -> None:
        if self._taken > self._limit:
            await self._refuse()
        else:
            self._answered = True
            await self._send(message)

    async def _refuse(self) -> None:
        if not self._answered:
            self._answered = True
            await refuse(self._send, 413, "body_too_large", f"At most {self._limit} bytes, please.")


async def refuse(send: Send, status: int, code: str, text: str) -> None:
    """Answer with the one error shape that all doors use."""
    body = json.dumps({"error": {"code": code, "message": text}}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
