"""The three servers together, and what happens on the channel."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, Self

import uvicorn

from tests.fakes.twitch import events
from tests.fakes.twitch.eventsub import EventSub
from tests.fakes.twitch.irc import ChatServer
from tests.fakes.twitch.web import Web
from tests.fakes.twitch.world import SCOPES, Token, User, World

CLIENT_ID = "kitsuclient"
PATIENCE_S = 15.0


class FakeTwitch:
    """Ports of 0 are chosen by the system."""

    def __init__(self, *, http_port: int = 0, eventsub_port: int = 0, irc_port: int = 0) -> None:
        self.world = World()
        self.eventsub = EventSub(self.world)
        self.eventsub.port = eventsub_port
        self.web = Web(self.world, self.eventsub, CLIENT_ID)
        self.web.on_message = self._echo
        self.irc = ChatServer(self.world)
        self.irc.port = irc_port
        self.http_port = http_port
        self.echoes = True  # one's own message comes back as chat
        self._server: uvicorn.Server
        self._serving: asyncio.Task[None]

    @property
    def settings(self) -> dict[str, str]:
        """What Kitsu's section `twitch` needs to find it."""
        http = f"http://127.0.0.1:{self.http_port}"
        return {
            "client_id": CLIENT_ID,
            "helix_url": f"{http}/helix/",
            "id_url": f"{http}/",
            "eventsub_url": self.eventsub.url,
            "irc_url": self.irc.url,
        }

    async def __aenter__(self) -> Self:
        await self.eventsub.start()
        await self.irc.start()
        config = uvicorn.Config(self.web.app, "127.0.0.1", self.http_port, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        self._serving = asyncio.create_task(self._server._serve())
        while not self._server.started:  # noqa: ASYNC110 - uvicorn announces it in no other way
            await asyncio.sleep(0.005)
        self.http_port = self._server.servers[0].sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.should_exit = self._server.force_exit = True
        await self._serving
        await self.eventsub.stop()
        await self.irc.stop()

    # People

    def log_in(self, login: str = "kitsubot", scopes: tuple[str, ...] = SCOPES) -> Token:
        """A token as after a finished device flow."""
        return self.world.token(self.world.user(login), scopes)

    def allow(self) -> None:
        """Somebody typed the code and agreed."""
        for device in self.world.devices.values():
            device.allowed = True

    def deny(self) -> None:
        """Somebody typed the code and said no."""
        for device in self.world.devices.values():
            device.denied = True

    async def device(self) -> None:
        """Wait until somebody begins to log in."""
        await self.until(lambda: bool(self.world.devices))

    async def subscribed(self, *kinds: str) -> None:
        """Wait until these types are subscribed to."""
        await self.until(lambda: set(kinds) <= {row["type"] for row in self.world.subscriptions.values()})

    async def sent(self, count: int) -> list[str]:
        """Wait until so many messages were written; all of them."""
        await self.until(lambda: len(self.world.messages) >= count)
        return [message["message"] for message in self.world.messages]

    # The channel

    async def say(self, text: str, user: str = "rita", **more: Any) -> str:
        """A line of chat, on both wires; returns its id. `twice`: EventSub sends it twice."""
        who = self.world.user(user)
        message_id = more.pop("message_id", "") or str(uuid.uuid4())
        twice = more.pop("twice", False)
        event = events.chat_message(self.world.channel, who, text, message_id=message_id, **more)
        sent_id = str(uuid.uuid4())
        for _ in range(1 + twice):
            await self.eventsub.notify("channel.chat.message", event, message_id=sent_id)
        bits = {"bits": more["bits"]} if more.get("bits") else {}
        await self.irc.privmsg(who, text, id=message_id, **bits)
        return message_id

    async def notice(self, kind: str, data: dict[str, Any], user: str = "rita", text: str = "") -> None:
        """channel.chat.notification."""
        event = events.notification(self.world.channel, self.world.user(user), kind, data, text)
        await self.eventsub.notify("channel.chat.notification", event)

    async def raid(self, user: str, viewers: int) -> None:
        await self.notice("raid", events.raid(self.world.user(user), viewers), user)

    async def follow(self, user: str) -> None:
        await self.eventsub.notify("channel.follow", events.follow(self.world.channel, self.world.user(user)))

    async def redeem(self, user: str, title: str, text: str = "") -> None:
        event = events.redemption(self.world.channel, self.world.user(user), title, text)
        await self.eventsub.notify("channel.channel_points_custom_reward_redemption.add", event)

    async def delete(self, message_id: str, user: str = "rita") -> None:
        who = self.world.user(user)
        event = events.deleted(self.world.channel, who, message_id)
        await self.eventsub.notify("channel.chat.message_delete", event)
        await self.irc.clearmsg(who, message_id)

    async def ban(self, user: str, seconds: int | None = None) -> None:
        """A ban, or a time-out of so many seconds."""
        who = self.world.user(user)
        event = events.cleared_user(self.world.channel, who)
        await self.eventsub.notify("channel.chat.clear_user_messages", event)
        await self.irc.clearchat(who, seconds)

    async def clear(self) -> None:
        await self.eventsub.notify("channel.chat.clear", events.broadcaster(self.world.channel))
        await self.irc.clearchat()

    async def stream(self, *, online: bool) -> None:
        self.world.live = online
        kind = "stream.online" if online else "stream.offline"
        await self.eventsub.notify(kind, events.stream(self.world.channel, online=online))

    async def retitle(self, title: str, category: str) -> None:
        self.world.title, self.world.category = title, category
        await self.eventsub.notify("channel.update", events.update(self.world.channel, title, category))

    async def _echo(self, token: Token, text: str) -> None:
        if self.echoes:
            user: User = token.user
            await self.eventsub.notify("channel.chat.message", events.chat_message(self.world.channel, user, text))

    async def until(self, true: Callable[[], bool], *, timeout_s: float = PATIENCE_S) -> None:
        """Wait until something is true of it."""
        async with asyncio.timeout(timeout_s), self.eventsub.changed:
            await self.eventsub.changed.wait_for(true)
