"""twitchio, contained.

What it does not do, and where we do it instead (found in version 3.3):

- It loses events in which a field is missing that it knows (`stream.offline` has no id in Twitch's own documentation):
  `_tolerant` gives it None for each; and `link.py` asks now and then whether the stream is on.
- It has no switch for other addresses: `point_to` sets its module globals, once a process.
- It writes tokens to a file in the current folder, in the clear: `save_tokens` is nothing here, `tokens.py` keeps them.
- Its exceptions carry tokens in their text: none of them is ever logged, only their type and Twitch's own message.
- It ends for good, in silence, when the last subscription is revoked, after close codes 4001 and 4003, and when a frame
  is not what it expects: `alive` says so, and `link.py` builds a new client.
- It knows no 429 and shows no headers: `limits.py` counts, `_note_points` reads the headers.
- It delivers a message twice when Twitch sends it twice: the hub drops what it has seen.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import aiohttp
import msgspec
import twitchio
import twitchio.eventsub.websockets
import twitchio.http
from twitchio import eventsub
from twitchio.models.eventsub_ import create_event_instance

from kitsu.errors import EngineError
from kitsu.telemetry import log
from kitsu_twitch.config import TwitchSettings
from kitsu_twitch.limits import Points
from kitsu_twitch.tokens import LOGIN, Login

REQUEST_TIMEOUT_S = 10.0
_UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError)


def point_to(settings: TwitchSettings) -> None:
    """Where Twitch is. twitchio keeps it in globals. And it is told to be quiet: it logs what viewers write."""
    logging.getLogger("twitchio").setLevel(logging.CRITICAL + 1)
    twitchio.http.Route.BASE = settings.helix_url
    twitchio.http.Route.ID_BASE = settings.id_url
    twitchio.eventsub.websockets.WSS = settings.eventsub_url
    twitchio.eventsub.websockets.create_event_instance = _tolerant_event  # type: ignore[attr-defined, assignment]


class _Tolerant(dict[str, Any]):
    """An event's payload. What is missing is None."""

    def __missing__(self, key: str) -> None:
        return None


def _tolerant(value: Any) -> Any:
    if isinstance(value, dict):
        return _Tolerant({key: _tolerant(part) for key, part in value.items()})
    return [_tolerant(part) for part in value] if isinstance(value, list) else value


def _tolerant_event(kind: str, frame: Any, **more: Any) -> Any:
    return create_event_instance(kind, _tolerant(frame), **more)


def trouble(error: Exception) -> EngineError:
    """A failure of twitchio's in our words. Never its own text: that may hold a token."""
    match error:
        case EngineError():
            return error
        case twitchio.InvalidTokenException() if error.status < 500:
            return EngineError("login_expired", f"Twitch does not take the login any more. Run: {LOGIN}")
        case twitchio.HTTPException(status=401):
            return EngineError("login_expired", f"Twitch does not take the login any more. Run: {LOGIN}")
        case twitchio.HTTPException(status=403):
            return EngineError("not_allowed", f"Twitch refuses: a permission is missing. Run: {LOGIN}")
        case twitchio.HTTPException(status=429):
            return EngineError("rate_limited", "Twitch asks for a pause: too many requests.", retryable=True)
        case twitchio.HTTPException():
            return EngineError("twitch_error", f"Twitch answered with HTTP {error.status}.", retryable=True)
        case _:
            return EngineError("twitch_unreachable", "Twitch cannot be reached; trying again.", retryable=True)


class Client(twitchio.Client):
    """One login's connection. `on` gets every event's name and payload, in the order they came."""

    def __init__(self, login: Login, points: Points, on: Callable[[str, Any], None], renewed: Callable[[Login], None]):
        self._login = login
        self._on = on
        self._renewed = renewed
        self._points = points
        tracing = aiohttp.TraceConfig()
        tracing.on_request_end.append(self._note_points)
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        self._requests = aiohttp.ClientSession(trace_configs=[tracing], timeout=timeout)
        super().__init__(client_id=login.client_id, session=self._requests)

    async def open(self) -> None:
        """Check the login, and be ready for requests.

        Raises:
            EngineError: `login_expired`, `twitch_error`, `twitch_unreachable`.
        """
        try:
            await self.login_dcf(load_token=True, save_token=False)
            await self.start_dcf(block=False)
        except (twitchio.TwitchioException, RuntimeError, KeyError, *_UNREACHABLE) as error:
            raise trouble(error) from None

    async def shut(self) -> None:
        """Close everything."""
        await self.close(save_tokens=False)
        await self._requests.close()

    @property
    def alive(self) -> bool:
        """Whether chat comes in now: an open socket that is read, and on it the subscription to messages.

        twitchio reconnects by itself, mostly. What it could not subscribe to again it only logs; and a reconnect whose
        address fails leaves it connecting for ever, with subscriptions that Twitch knows nothing of.
        """
        return any(
            sub["type"].value == "channel.chat.message"
            for socket in self._sockets()
            if socket.connected and not socket._connecting and _is_read(socket)
            for sub in socket._subscriptions.values()
        )

    @property
    def gave_up(self) -> bool:
        """Whether twitchio has closed its last socket, or reads it no more: an unexpected frame ends that."""
        return not any(socket._connecting or _is_read(socket) for socket in self._sockets())

    async def listen_to(self, subscription: eventsub.SubscriptionPayload) -> None:
        """Subscribe, on this login's socket.

        Raises:
            EngineError: as `trouble` says.
        """
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S * 2):
                await self.subscribe_websocket(subscription, token_for=self._login.user_id)
        except (twitchio.TwitchioException, ValueError, KeyError, *_UNREACHABLE) as error:
            raise trouble(error) from None

    async def look_up(self, channel: str) -> twitchio.User:
        """The user behind a channel's name.

        Raises:
            EngineError: `no_such_channel`, or as `trouble` says.
        """
        try:
            users = await self.fetch_users(logins=[channel], token_for=self._login.user_id)
        except (twitchio.TwitchioException, KeyError, *_UNREACHABLE) as error:
            raise trouble(error) from None
        if not users:
            raise EngineError("no_such_channel", f"Twitch knows no channel {channel!r}: check twitch.channel.")
        return users[0]

    async def look_at(self, broadcaster_id: str) -> tuple[bool, str, str]:
        """Whether a channel is live; its title and category.

        Raises:
            EngineError: as `trouble` says.
        """
        try:
            streams = await self.fetch_streams(user_ids=[broadcaster_id], token_for=self._login.user_id)
            channel = await self.fetch_channel(broadcaster_id, token_for=self._login.user_id)
        except (twitchio.TwitchioException, KeyError, *_UNREACHABLE) as error:
            raise trouble(error) from None
        return bool(streams), channel.title if channel else "", (channel.game_name or "") if channel else ""

    async def write(self, broadcaster_id: str, text: str) -> None:
        """One message into a channel's chat.

        Raises:
            EngineError: as `trouble` says; `message_rejected` with Twitch's code.
        """
        channel = self.create_partialuser(broadcaster_id)
        me = self._login.user_id
        try:
            sent = await channel.send_message(text, sender=me, token_for=me)
        except twitchio.MessageRejectedError as error:
            raise EngineError("message_rejected", f"Twitch did not take a reply ({error.code}).") from None
        except (twitchio.TwitchioException, KeyError, *_UNREACHABLE) as error:
            raise trouble(error) from None
        if not sent.sent:
            raise EngineError("message_rejected", f"Twitch did not take a reply ({sent.dropped_code}).")

    # twitchio's hooks

    async def load_tokens(self, path: str | None = None, /) -> None:
        await self.add_token(self._login.access, self._login.refresh)

    async def save_tokens(self, path: str | None = None, /) -> None:
        """Each new pair is saved when it comes; see `event_token_refreshed`."""

    async def event_token_refreshed(self, payload: twitchio.TokenRefreshedPayload) -> None:
        self._login = msgspec.structs.replace(self._login, access=payload.token, refresh=payload.refresh_token)
        self._renewed(self._login)

    async def event_error(self, payload: twitchio.EventErrorPayload) -> None:
        log.error("twitch.event_failed", error=type(payload.error).__name__)

    async def event_message(self, payload: twitchio.ChatMessage) -> None:
        self._on("message", payload)

    async def event_chat_notification(self, payload: twitchio.ChatNotification) -> None:
        self._on("notification", payload)

    async def event_message_delete(self, payload: twitchio.ChatMessageDelete) -> None:
        self._on("deleted", payload)

    async def event_chat_clear_user(self, payload: twitchio.ChannelChatClearUserMessages) -> None:
        self._on("cleared_user", payload)

    async def event_chat_clear(self, payload: twitchio.ChannelChatClear) -> None:
        self._on("cleared", payload)

    async def event_follow(self, payload: twitchio.ChannelFollow) -> None:
        self._on("follow", payload)

    async def event_custom_redemption_add(self, payload: twitchio.ChannelPointsRedemptionAdd) -> None:
        self._on("reward", payload)

    async def event_stream_online(self, payload: twitchio.StreamOnline) -> None:
        self._on("online", payload)

    async def event_stream_offline(self, payload: twitchio.StreamOffline) -> None:
        self._on("offline", payload)

    async def event_channel_update(self, payload: twitchio.ChannelUpdate) -> None:
        self._on("channel", payload)

    async def event_subscription_revoked(self, payload: twitchio.SubscriptionRevoked) -> None:
        self._on("revoked", payload)

    async def event_websocket_welcome(self, payload: twitchio.WebsocketWelcome) -> None:
        self._on("welcome", payload)

    def _sockets(self) -> list[twitchio.eventsub.websockets.Websocket]:
        return [socket for by_id in self._websockets.values() for socket in by_id.values()]

    async def _note_points(self, session: Any, context: Any, params: aiohttp.TraceRequestEndParams) -> None:
        self._points.told(params.response.headers)


def _is_read(socket: twitchio.eventsub.websockets.Websocket) -> bool:
    task = socket._listen_task
    return task is not None and not task.done()
