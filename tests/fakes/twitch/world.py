"""What exists at the fake Twitch: users, tokens, subscriptions, messages."""

import datetime
import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

SCOPES = ("user:read:chat", "user:write:chat", "moderator:read:followers", "channel:read:redemptions")
NEEDED: dict[str, str] = {
    "channel.chat.message": "user:read:chat",
    "channel.chat.message_delete": "user:read:chat",
    "channel.chat.clear_user_messages": "user:read:chat",
    "channel.chat.clear": "user:read:chat",
    "channel.chat.notification": "user:read:chat",
    "channel.follow": "moderator:read:followers",
    "channel.channel_points_custom_reward_redemption.add": "channel:read:redemptions",
    "stream.online": "",
    "stream.offline": "",
    "channel.update": "",
}
"""dev.twitch.tv/docs/eventsub/eventsub-subscription-types: what each type asks for."""


def now() -> str:
    """RFC 3339 with nanoseconds (docs/eventsub/websocket-reference, the note at its head)."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


@dataclass
class User:
    """Somebody."""

    id: str
    login: str
    name: str
    badges: list[tuple[str, str]] = field(default_factory=list)  # set and version, in the one channel there is


@dataclass
class Token:
    """A user access token and its refresh token (docs/authentication/getting-tokens-oauth, Device code grant flow)."""

    access: str
    refresh: str
    user: User
    scopes: tuple[str, ...]
    expired: bool = False


@dataclass
class Device:
    """A login that somebody has begun."""

    code: str
    scopes: tuple[str, ...]
    allowed: bool = False
    denied: bool = False
    used: bool = False


class World:
    """All of it. `channel`: the broadcaster whose chat this is."""

    def __init__(self) -> None:
        self._ids = itertools.count(1001)
        self._serial = itertools.count(1)
        self.users: dict[str, User] = {}
        self.channel = self.user("streamer", badges=[("broadcaster", "1")])
        self.tokens: dict[str, Token] = {}
        self.devices: dict[str, Device] = {}
        self.subscriptions: dict[str, dict[str, Any]] = {}
        self.messages: list[dict[str, Any]] = []  # that Helix took
        self.live = True
        self.title, self.category = "Cozy evening", "Just Chatting"
        self.asked: list[tuple[str, str]] = []  # method and path, in order

    def user(self, login: str, *, badges: list[tuple[str, str]] | None = None) -> User:
        """A user of that name, made when there is none."""
        if login not in self.users:
            self.users[login] = User(str(next(self._ids)), login, login.capitalize(), badges or [])
        elif badges is not None:
            self.users[login].badges = badges
        return self.users[login]

    def by_id(self, user_id: str) -> User | None:
        return next((user for user in self.users.values() if user.id == user_id), None)

    def token(self, user: User, scopes: tuple[str, ...] = SCOPES, *, refresh: str = "") -> Token:
        """A new token."""
        number = next(self._serial)
        made = Token(f"access{number:04d}", refresh or f"refresh{number:04d}", user, scopes)
        self.tokens[made.access] = made
        return made

    def renewed(self, refresh: str) -> Token | None:
        """The next pair. A public client's refresh token works once (docs/authentication/refresh-tokens)."""
        old = next((token for token in self.tokens.values() if token.refresh == refresh), None)
        if old is None:
            return None
        old.refresh = ""
        return self.token(old.user, old.scopes)

    def subscribe(self, body: dict[str, Any]) -> dict[str, Any]:
        """A subscription, enabled at once (docs/api/reference, Create EventSub Subscription)."""
        made = {
            "id": str(uuid.uuid4()),
            "status": "enabled",
            "type": body["type"],
            "version": body["version"],
            "condition": body["condition"],
            "created_at": now(),
            "transport": {**body["transport"], "connected_at": now()},
            "cost": 0,
        }
        self.subscriptions[made["id"]] = made
        return made
