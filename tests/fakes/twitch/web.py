"""id.twitch.tv and Helix (docs/authentication, docs/api/reference), as far as chat needs them."""

import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.twitch.eventsub import EventSub
from tests.fakes.twitch.world import NEEDED, Device, Token, World

POINTS = 800  # a minute, for one client and user (docs/api/guide, Twitch rate limits)
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

Handler = Callable[[Request, Token], Awaitable[Response]]


class Web:
    """`failures`: statuses that the next posted messages are answered with instead."""

    def __init__(self, world: World, eventsub: EventSub, client_id: str) -> None:
        self.world = world
        self.eventsub = eventsub
        self.client_id = client_id
        self.points = POINTS
        self.failures: deque[int] = deque()
        self.drop_reason: dict[str, str] | None = None  # of messages that are taken but not sent
        self.on_message: Callable[[Token, str], Awaitable[None]] | None = None
        self.app = Starlette(
            routes=[
                Route("/oauth2/device", self._device, methods=["POST"]),
                Route("/oauth2/token", self._token, methods=["POST"]),
                Route("/oauth2/validate", self._validate),
                Route("/helix/users", self._authorised(self._users)),
                Route("/helix/streams", self._authorised(self._streams)),
                Route("/helix/channels", self._authorised(self._channels)),
                Route("/helix/eventsub/subscriptions", self._authorised(self._subscribe), methods=["POST"]),
                Route("/helix/chat/messages", self._authorised(self._message), methods=["POST"]),
            ]
        )

    async def _device(self, request: Request) -> Response:
        """Device code grant flow, step 1."""
        form = await _form(request)
        self.world.asked.append(("POST", "/oauth2/device"))
        if form.get("client_id") != self.client_id:
            return _refused(400, "invalid client")
        device = Device(uuid.uuid4().hex, tuple(form.get("scopes", "").replace("+", " ").split()))
        self.world.devices[device.code] = device
        await self.eventsub.note()
        code = device.code[:8].upper()
        uri = f"https://www.twitch.tv/activate?public=true&device-code={code}"
        answer = {"device_code": device.code, "expires_in": 1800, "interval": 1, "user_code": code}
        return JSONResponse({**answer, "verification_uri": uri})

    async def _token(self, request: Request) -> Response:
        """Device code grant flow, step 2; and refreshing (docs/authentication/refresh-tokens)."""
        form = await _form(request)
        self.world.asked.append(("POST", f"/oauth2/token {form.get('grant_type')}"))
        if form.get("client_id") != self.client_id:
            return _refused(400, "invalid client")
        if form.get("grant_type") == "refresh_token":
            renewed = self.world.renewed(form.get("refresh_token", ""))
            return _pair(renewed) if renewed else _refused(400, "Invalid refresh token")
        device = self.world.devices.get(form.get("device_code", ""))
        if form.get("grant_type") != DEVICE_GRANT or device is None or device.used:
            return _refused(400, "invalid device code")
        if device.denied:
            return _refused(400, "access_denied")
        if not device.allowed:
            return _refused(400, "authorization_pending")
        device.used = True
        return _pair(self.world.token(self.world.user("kitsubot"), device.scopes))

    async def _validate(self, request: Request) -> Response:
        """docs/authentication/validate-tokens."""
        token = self._bearer(request)
        if token is None or token.expired:
            return _refused(401, "invalid access token")
        user, scopes = token.user, list(token.scopes)
        about = {"client_id": self.client_id, "login": user.login, "scopes": scopes, "user_id": user.id}
        return JSONResponse({**about, "expires_in": 14_000})

    def _authorised(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """docs/api/guide: bearer token and Client-Id, points, and the headers that tell of them."""

        async def answer(request: Request) -> Response:
            self.world.asked.append((request.method, request.url.path))
            token = self._bearer(request)
            if token is None or token.expired or request.headers.get("client-id") != self.client_id:
                return _helix_error(401, "Unauthorized", "Invalid OAuth token")
            self.points = max(0, self.points - 1)
            response = (
                await handler(request, token) if self.points else _helix_error(429, "Too Many Requests", "slow down")
            )
            reset = str(int(time.time()) + 1)
            response.headers.update({"Ratelimit-Limit": str(POINTS), "Ratelimit-Reset": reset})
            response.headers["Ratelimit-Remaining"] = str(self.points)
            return response

        return answer

    async def _users(self, request: Request, token: Token) -> Response:
        """Get Users: nobody asked for is the token's own user."""
        ids, logins = request.query_params.getlist("id"), request.query_params.getlist("login")
        users = [user for user in self.world.users.values() if user.id in ids or user.login in logins]
        return JSONResponse({"data": [_user(user) for user in users or ([] if ids or logins else [token.user])]})

    async def _streams(self, request: Request, token: Token) -> Response:
        """Get Streams: only those that are live are there."""
        channel = self.world.channel
        if not self.world.live or channel.id not in request.query_params.getlist("user_id"):
            return JSONResponse({"data": [], "pagination": {}})
        names = {"user_id": channel.id, "user_login": channel.login, "user_name": channel.name}
        game = {"game_id": "509658", "game_name": self.world.category, "type": "live", "title": self.world.title}
        more = {"tags": [], "tag_ids": [], "viewer_count": 7, "started_at": "2026-01-01T00:00:00Z", "language": "en"}
        row = {"id": "9001", **names, **game, **more, "thumbnail_url": "", "is_mature": False}
        return JSONResponse({"data": [row], "pagination": {}})

    async def _channels(self, request: Request, token: Token) -> Response:
        """Get Channel Information."""
        channel = self.world.channel
        names = {"broadcaster_id": channel.id, "broadcaster_login": channel.login, "broadcaster_name": channel.name}
        game = {"game_id": "509658", "game_name": self.world.category, "title": self.world.title, "delay": 0}
        more = {"broadcaster_language": "en", "tags": [], "content_classification_labels": []}
        return JSONResponse({"data": [{**names, **game, **more, "is_branded_content": False}]})

    async def _subscribe(self, request: Request, token: Token) -> Response:
        """Create EventSub Subscription."""
        body = await request.json()
        kind, session = body["type"], body["transport"]["session_id"]
        if kind not in NEEDED:
            return _helix_error(400, "Bad Request", "invalid subscription type and version")
        if session not in self.eventsub.sessions:
            return _helix_error(400, "Bad Request", "websocket transport session does not exist or has disconnected")
        if NEEDED[kind] and NEEDED[kind] not in token.scopes:
            return _helix_error(403, "Forbidden", "subscription missing proper authorization")
        made = self.world.subscribe(body)
        await self.eventsub.note()
        total = len(self.world.subscriptions)
        answer = {"data": [made], "total": total, "total_cost": 0, "max_total_cost": 10}
        return JSONResponse(answer, 202)

    async def _message(self, request: Request, token: Token) -> Response:
        """Send Chat Message."""
        body: dict[str, Any] = await request.json()
        if self.failures:
            return _helix_error(self.failures.popleft(), "Error", "as the test wants it")
        if "user:write:chat" not in token.scopes:
            return _helix_error(401, "Unauthorized", "Missing scope: user:write:chat")
        if body["sender_id"] != token.user.id or not 0 < len(body["message"]) <= 500:
            return _helix_error(400, "Bad Request", "The message is too long or the sender is not the token's user")
        message_id = str(uuid.uuid4())
        sent = self.drop_reason is None
        if sent:
            self.world.messages.append({**body, "id": message_id, "at": time.monotonic()})
            await self.eventsub.note()
            if self.on_message is not None:
                await self.on_message(token, body["message"])
        return JSONResponse({"data": [{"message_id": message_id, "is_sent": sent, "drop_reason": self.drop_reason}]})

    def _bearer(self, request: Request) -> Token | None:
        return self.world.tokens.get(request.headers.get("authorization", "").rpartition(" ")[2])


async def _form(request: Request) -> dict[str, str]:
    """Parameters in the body or in the address: the service takes both."""
    body = (await request.body()).decode()
    from urllib.parse import parse_qsl

    return {**dict(request.query_params), **dict(parse_qsl(body))}


def _pair(token: Token) -> Response:
    pair = {"access_token": token.access, "refresh_token": token.refresh, "expires_in": 14_400}
    return JSONResponse({**pair, "scope": list(token.scopes), "token_type": "bearer"})


def _refused(status: int, message: str) -> Response:
    return JSONResponse({"status": status, "message": message}, status)


def _helix_error(status: int, error: str, message: str) -> Response:
    return JSONResponse({"error": error, "status": status, "message": message}, status)


def _user(user: Any) -> dict[str, Any]:
    images = {"profile_image_url": "", "offline_image_url": ""}
    more = {
        "type": "",
        "broadcaster_type": "",
        "description": "",
        "view_count": 0,
        "created_at": "2020-01-01T00:00:00Z",
    }
    return {"id": user.id, "login": user.login, "display_name": user.name, **images, **more}
