"""The logged-in connection: one client at a time, watched, and built anew when twitchio has given up."""

import asyncio
import time
from collections import deque
from typing import Any

from twitchio import eventsub

from kitsu.errors import EngineError
from kitsu.telemetry import log
from kitsu_twitch import translate
from kitsu_twitch.client import Client
from kitsu_twitch.config import TwitchSettings
from kitsu_twitch.limits import BackOff, Points
from kitsu_twitch.sink import Sink
from kitsu_twitch.tokens import LOGIN, Login

LOOK_EVERY_S = 0.5
ASK_EVERY_S = 60.0  # whether the stream is on
MENDS_ITSELF_S = 5.0  # twitchio reconnects at once; what has taken longer, it has lost track of
REMEMBERED_REPLIES = 50
FINAL = frozenset({"login_expired", "scopes_missing", "not_allowed", "no_such_channel", "revoked"})
"""Waiting does not help: a person must do something."""


class Link:
    """Runs until cancelled, or until only a person can help."""

    def __init__(self, settings: TwitchSettings, login: Login, sink: Sink, points: Points) -> None:
        self._settings = settings
        self._login = login
        self._sink = sink
        self._points = points
        self._client: Client | None = None
        self._broadcaster = ""  # user id
        self._channel = settings.channel.lower() or login.login
        self._rewards = False
        self._live: bool | None = None
        self._title, self._category = "", ""
        self._revoked = ""  # why
        self._written: deque[str] = deque(maxlen=REMEMBERED_REPLIES)

    async def run(self) -> None:
        """Stay connected.

        Raises:
            EngineError: one of `FINAL`.
        """
        if self._login.missing:
            missing = ", ".join(self._login.missing)
            raise EngineError("scopes_missing", f"The login at Twitch lacks {missing}. Run: {LOGIN}")
        back_off = BackOff()
        while True:
            try:
                await self._connect()
                back_off.reset()
                await self._watch()
            except EngineError as error:
                self._sink.disconnected(error)
                if error.code in FINAL:
                    raise
            finally:
                await self._close()
            await asyncio.sleep(back_off.next_s())

    async def write(self, text: str) -> None:
        """One message into the chat.

        Raises:
            EngineError: `not_connected`, or as `client.trouble` says.
        """
        if self._client is None:
            raise EngineError("not_connected", "Twitch is not connected.", retryable=True)
        self._written.append(text)
        await self._client.write(self._broadcaster, text)

    async def _connect(self) -> None:
        client = self._client = Client(self._login, self._points, self._happened, self._renewed)
        await client.open()
        mine = self._channel == self._login.login
        self._broadcaster = self._login.user_id if mine else (await client.look_up(self._channel)).id
        await self._subscribe(client)
        self._sink.moderates(mine)
        self._sink.connected(f"#{self._channel} as {self._login.login}")
        await self._look()

    async def _subscribe(self, client: Client) -> None:
        """What chat needs, at once and all of it (Twitch hangs up after 10 s without); the rest where it is allowed."""
        us, there = self._login.user_id, self._broadcaster
        chat = {"broadcaster_user_id": there, "user_id": us}
        for needed in (
            eventsub.ChatMessageSubscription(**chat),
            eventsub.ChatMessageDeleteSubscription(**chat),
            eventsub.ChatClearUserMessagesSubscription(**chat),
            eventsub.ChatClearSubscription(**chat),
            eventsub.ChatNotificationSubscription(**chat),
        ):
            await client.listen_to(needed)
        for useful in (
            eventsub.StreamOnlineSubscription(broadcaster_user_id=there),
            eventsub.StreamOfflineSubscription(broadcaster_user_id=there),
            eventsub.ChannelUpdateSubscription(broadcaster_user_id=there),
        ):
            await self._try(client, useful)
        if "moderator:read:followers" in self._login.scopes:
            await self._try(client, eventsub.ChannelFollowSubscription(broadcaster_user_id=there, moderator_user_id=us))
        if "channel:read:redemptions" in self._login.scopes and us == there:
            self._rewards = await self._try(
                client, eventsub.ChannelPointsRedeemAddSubscription(broadcaster_user_id=there)
            )

    async def _try(self, client: Client, subscription: eventsub.SubscriptionPayload) -> bool:
        """Subscribe to what the show can do without."""
        try:
            await client.listen_to(subscription)
        except EngineError as error:
            if error.retryable:
                raise
            log.info("twitch.not_subscribed", kind=type(subscription).__name__, code=error.code)
            return False
        return True

    async def _look(self) -> None:
        """Whether the stream is on. Events say so too, but twitchio loses some."""
        assert self._client is not None
        try:
            self._live, self._title, self._category = await self._client.look_at(self._broadcaster)
        except EngineError as error:
            log.info("twitch.not_looked_at", code=error.code)
        self._tell_place()

    async def _watch(self) -> None:
        """Look after the connection.

        Raises:
            EngineError: `connection_lost` when it does not mend itself, `revoked`.
        """
        assert self._client is not None
        lost_at: float | None = None
        asked_at = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            if time.monotonic() - asked_at > ASK_EVERY_S:
                asked_at = time.monotonic()
                await self._look()
            if self._revoked:
                raise EngineError("revoked", f"Twitch took the login back ({self._revoked}). Run: {LOGIN}")
            if self._client.alive:
                if lost_at is not None:
                    self._sink.connected(f"#{self._channel} as {self._login.login}")
                lost_at = None
                continue
            lost = EngineError("connection_lost", "Twitch's chat is away; it comes back by itself.", retryable=True)
            if lost_at is None:
                lost_at = time.monotonic()
                self._sink.disconnected(lost)
            if time.monotonic() - lost_at > MENDS_ITSELF_S or self._client.gave_up:
                raise lost

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.shut()

    def _renewed(self, login: Login) -> None:
        self._login = login
        self._sink.renewed(login)

    def _happened(self, name: str, payload: Any) -> None:
        """One event of twitchio's."""
        match name:
            case "message":
                self._message(payload)
            case "notification":
                event = translate.event_of(payload)
                if event is not None:
                    self._sink.event(event)
            case "follow":
                self._sink.event(translate.follow_of(payload))
            case "reward":
                self._sink.event(translate.reward_of(payload))
            case "deleted":
                self._sink.removed(translate.deleted(payload))
            case "cleared_user":
                self._sink.removed(translate.cleared_user(payload))
            case "cleared":
                self._sink.removed(translate.cleared())
            case "online" | "offline":
                self._live = name == "online"
                self._tell_place()
            case "channel":
                self._title, self._category = payload.title, payload.category_name
                self._tell_place()
            case "revoked":
                self._lost_subscription(payload)

    def _message(self, message: Any) -> None:
        if message.chatter.id == self._login.user_id:
            self._sink.moderates(translate.is_moderator(message))  # our own line comes back with our badges
            if self._login.user_id != self._broadcaster or message.text in self._written:
                return  # Kitsu wrote it; a streamer who lends her their own account is still heard
        if message.channel_points_id and self._rewards:
            return  # it comes as a reward too
        self._sink.line(translate.line_of(message, self._login.user_id))

    def _lost_subscription(self, payload: Any) -> None:
        status = payload.status.value
        log.warning("twitch.revoked", kind=payload.type, status=status)
        if status == "authorization_revoked" or payload.type == "channel.chat.message":
            self._revoked = status

    def _tell_place(self) -> None:
        self._sink.place(
            channel=self._channel, live=self._live, title=self._title, category=self._category, writes=True
        )
