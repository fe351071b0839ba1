"""Chat over IRC on a websocket (docs/chat/irc), for those who only read: a nick like justinfan123 needs no PASS."""

import asyncio
import re
import uuid
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.fakes.twitch.world import User, World

_ESCAPED = {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}


class ChatServer:
    """One channel. `said`: what clients sent."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.port = 0
        self.said: list[str] = []
        self.joined: set[ServerConnection] = set()
        self.changed = asyncio.Condition()
        self._server: Server

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await serve(self._talk, "127.0.0.1", self.port, compression=None, ping_interval=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        await self.drop()
        self._server.close()
        await self._server.wait_closed()

    async def drop(self) -> None:
        for socket in tuple(self.joined):
            socket.transport.abort()

    async def readers(self, count: int = 1) -> None:
        """Wait until so many are in the channel."""
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(lambda: len(self.joined) >= count)

    async def heard(self, text: str) -> None:
        """Wait until a client has sent this line."""
        async with asyncio.timeout(15), self.changed:
            await self.changed.wait_for(lambda: text in self.said)

    async def line(self, raw: str) -> None:
        """Any line, to everybody in the channel."""
        for socket in tuple(self.joined):
            await socket.send(raw.encode("utf-8", "replace").decode() + "\r\n")

    async def privmsg(self, user: User, text: str, **tags: Any) -> None:
        """PRIVMSG with its tags (docs/chat/irc, Tags)."""
        channel = self.world.channel.login
        await self.line(
            f"{self._tags(user, tags)} :{user.login}!{user.login}@{user.login}.tmi.twitch.tv PRIVMSG #{channel} :{text}"
        )

    async def usernotice(self, user: User, kind: str, text: str = "", **tags: Any) -> None:
        """USERNOTICE: subscriptions, gifts, raids."""
        more = {"msg-id": kind, "login": user.login, **tags}
        tail = f" :{text}" if text else ""
        await self.line(f"{self._tags(user, more)} :tmi.twitch.tv USERNOTICE #{self.world.channel.login}{tail}")

    async def clearmsg(self, user: User, message_id: str) -> None:
        """One message was deleted."""
        head = f"@login={user.login};target-msg-id={message_id};tmi-sent-ts=1"
        await self.line(f"{head} :tmi.twitch.tv CLEARMSG #{self.world.channel.login} :gone")

    async def clearchat(self, user: User | None = None, seconds: int | None = None) -> None:
        """A ban, a time-out, or the whole chat."""
        channel = self.world.channel
        ban = f";ban-duration={seconds}" if seconds else ""
        target = f";target-user-id={user.id}" if user else ""
        tail = f" :{user.login}" if user else ""
        await self.line(f"@room-id={channel.id}{ban}{target} :tmi.twitch.tv CLEARCHAT #{channel.login}{tail}")

    def _tags(self, user: User, more: dict[str, Any]) -> str:
        tags = {
            "badges": ",".join(f"{name}/{version}" for name, version in user.badges),
            "display-name": user.name,
            "id": str(uuid.uuid4()),
            "room-id": self.world.channel.id,
            "user-id": user.id,
            **{name.replace("_", "-"): str(value) for name, value in more.items()},
        }
        return "@" + ";".join(f"{name}={_escaped(value)}" for name, value in tags.items())

    async def _talk(self, socket: ServerConnection) -> None:
        nick = ""
        try:
            async for frame in socket:
                for line in str(frame).splitlines():
                    await self._note(line)
                    word, _, rest = line.partition(" ")
                    if word == "CAP":
                        await socket.send(f":tmi.twitch.tv CAP * ACK {rest.removeprefix('REQ ')}\r\n")
                    elif word == "NICK":
                        nick = rest
                        if not re.fullmatch(r"justinfan\d+", nick):
                            await socket.send(":tmi.twitch.tv NOTICE * :Login unsuccessful\r\n")
                            await socket.close()
                            return
                        await socket.send(
                            f":tmi.twitch.tv 001 {nick} :Welcome, GLHF!\r\n:tmi.twitch.tv 376 {nick} :>\r\n"
                        )
                    elif word == "JOIN" and nick:
                        await self._join(socket, nick, rest.removeprefix("#"))
        except ConnectionClosed:
            pass
        finally:
            self.joined.discard(socket)

    async def _note(self, line: str) -> None:
        async with self.changed:
            self.said.append(line)
            self.changed.notify_all()

    async def _join(self, socket: ServerConnection, nick: str, channel: str) -> None:
        """A channel that does not exist is answered with nothing at all."""
        if channel != self.world.channel.login:
            return
        state = f"@emote-only=0;followers-only=-1;r9k=0;room-id={self.world.channel.id};slow=0;subs-only=0"
        prefix = f":{nick}!{nick}@{nick}.tmi.twitch.tv"
        await socket.send(f"{prefix} JOIN #{channel}\r\n{state} :tmi.twitch.tv ROOMSTATE #{channel}\r\n")
        async with self.changed:
            self.joined.add(socket)
            self.changed.notify_all()


def _escaped(value: str) -> str:
    return "".join(_ESCAPED.get(char, char) for char in value)
