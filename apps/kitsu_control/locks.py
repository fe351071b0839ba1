"""Who is asking: the token's holder (the `kitsu` command, tools) or a signed-in browser."""

import hmac
import time

from starlette.requests import HTTPConnection
from starlette.responses import Response

from kitsu_control.answers import RequestError
from kitsu_control.guard import SAFE_METHODS
from kitsu_control.overlay_key import OverlayKey
from kitsu_control.session import Sessions, SignInLinks


class Locks:
    """Every secret that opens something here."""

    def __init__(self, token: str, links: SignInLinks, sessions: Sessions, overlay_key: OverlayKey, port: int) -> None:
        self._token = token.encode()
        self.links = links
        self.sessions = sessions
        self.overlay_key = overlay_key
        self._cookie = f"kitsu_session_{port}"  # cookies do not know ports: two shows must not share one

    def has_token(self, asking: HTTPConnection) -> bool:
        """Whether the request carries the show's token."""
        scheme, _, token = asking.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token)

    def has_session(self, asking: HTTPConnection) -> bool:
        """Whether the request comes from a signed-in browser and from our own page."""
        changes = asking.scope["type"] == "websocket" or asking.scope["method"] not in SAFE_METHODS
        if changes and "origin" not in asking.headers:  # the guard has checked its value; a browser always sends it
            return False
        return self.sessions.valid(asking.cookies.get(self._cookie, ""), time.time())

    def want_token(self, asking: HTTPConnection) -> None:
        """Raises: RequestError 401 `bad_token`."""
        if not self.has_token(asking):
            raise RequestError(401, "bad_token", "This address wants `Authorization: Bearer` with the show's token.")

    def want_sign_in(self, asking: HTTPConnection) -> None:
        """Raises: RequestError 401 `not_signed_in`."""
        if not (self.has_token(asking) or self.has_session(asking)):
            raise RequestError(401, "not_signed_in", "Sign in first: `kitsu open` prints a link.")

    def sign_in(self, response: Response) -> None:
        """Put the cookie on an answer."""
        response.set_cookie(
            self._cookie,
            self.sessions.make(time.time()),
            max_age=int(self.sessions.lifetime_s),
            httponly=True,
            samesite="strict",
        )

    def sign_out(self, response: Response) -> None:
        """Take the cookie off the browser."""
        response.delete_cookie(self._cookie, httponly=True, samesite="strict")
