"""`/auth/…`: sign-in link, session, overlay key."""

import time
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from kitsu.errors import ConfigError
from kitsu_control.answers import RequestError, problem, read_struct
from kitsu_control.locks import Locks


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Body of `POST /auth/session`."""

    key: str


class Signing:
    """The handlers. `on_rotate` is called when the overlay key changed."""

    def __init__(self, locks: Locks, url: str, link_s: float, on_rotate: Callable[[], None]) -> None:
        self._locks = locks
        self._url = url
        self._link_s = link_s
        self._on_rotate = on_rotate

    def routes(self) -> list[Route]:
        return [
            Route("/auth/link", self.link, methods=["POST"]),
            Route("/auth/session", self.show, methods=["GET"]),
            Route("/auth/session", self.sign_in, methods=["POST"]),
            Route("/auth/session", self.sign_out, methods=["DELETE"]),
            Route("/auth/overlay-key", self.overlay_key, methods=["GET"]),
            Route("/auth/overlay-key/rotate", self.rotate, methods=["POST"]),
        ]

    async def link(self, request: Request) -> Response:
        """A sign-in link for whoever holds the token."""
        self._locks.want_token(request)
        code = self._locks.links.make(time.monotonic())
        return JSONResponse({"url": f"{self._url}/#k={code}", "expires_in_s": self._link_s}, status_code=201)

    async def show(self, request: Request) -> Response:
        """Whether this browser is signed in."""
        return JSONResponse({"signed_in": self._locks.has_session(request)})

    async def sign_in(self, request: Request) -> Response:
        """A link's code for a cookie."""
        key = (await read_struct(request, SignIn)).key
        if not self._locks.links.use(key, time.monotonic()):
            return problem(401, "bad_link", "This link was used or is too old. `kitsu open` prints a new one.")
        response = Response(status_code=204)
        self._locks.sign_in(response)
        return response

    async def sign_out(self, _request: Request) -> Response:
        """Forget this browser."""
        response = Response(status_code=204)
        self._locks.sign_out(response)
        return response

    async def overlay_key(self, request: Request) -> Response:
        """The overlay's key and address, for OBS."""
        self._locks.want_sign_in(request)
        return self._overlay(self._locks.overlay_key.make)

    async def rotate(self, request: Request) -> Response:
        """A new overlay key; overlays with the old one close."""
        self._locks.want_sign_in(request)
        response = self._overlay(self._locks.overlay_key.rotate)
        self._on_rotate()
        return response

    def _overlay(self, make: Callable[[], str]) -> Response:
        try:
            key = make()
        except ConfigError as error:
            raise RequestError(500, error.code, error.message) from None
        return JSONResponse({"key": key, "url": f"{self._url}/overlay#key={key}"})
