"""A scripted platform app on the real wire: says lines, keeps replies."""

import itertools
from typing import Any, ClassVar

from kitsu.protocol import (
    Author,
    AuthorRole,
    ChatBatch,
    ChatChannel,
    ChatEvent,
    ChatLine,
    ChatRemoved,
    ChatSend,
    ChatSent,
    Message,
    Role,
    checked,
)
from tests.fakes.workers import FakeWorker


class FakePlatform(FakeWorker):
    """`replies`: what was to be written into chat, with the seal checked."""

    role: ClassVar[Role] = "twitch"
    exit: ClassVar[str] = "twitch"

    def __init__(self, port: int, token: str) -> None:
        super().__init__(port, token)
        self.replies: list[str] = []
        self._ids = itertools.count(1)

    async def react(self, message: Message, payload: memoryview | None) -> None:
        if isinstance(message, ChatSend):
            key = bytes.fromhex(self.accepted.seal_key)
            self.replies.append(checked(message.text, key, "chat_reply", message.turn_id))
            await self.send(ChatSent(parent_id=message.id, turn_id=message.turn_id, state="sent"))

    def line(self, text: str, user: str = "rita", role: AuthorRole = "viewer", **more: Any) -> ChatLine:
        """A line as the platform's app makes it."""
        about = {name: more.pop(name) for name in ("sub_tier", "platform", "user_id", "login") if name in more}
        author = {"name": user.capitalize(), "role": role, "platform": "twitch", "user_id": f"id-{user}", "login": user}
        more.setdefault("message_id", f"m{next(self._ids)}")
        return ChatLine(author=Author(**{**author, **about}), text=text, **more)

    async def say(self, text: str, user: str = "rita", role: AuthorRole = "viewer", **more: Any) -> ChatLine:
        """One line."""
        line = self.line(text, user, role, **more)
        await self.send(ChatBatch(lines=(line,)))
        return line

    async def event(self, kind: Any, user: str = "rita", **more: Any) -> None:
        """A raid, a subscription …"""
        author = self.line("", user).author
        await self.send(ChatEvent(kind=kind, author=author, message_id=f"e{next(self._ids)}", **more))

    async def ban(self, user: str) -> None:
        await self.send(ChatRemoved(what="author", platform="twitch", user_id=f"id-{user}"))

    async def delete(self, line: ChatLine) -> None:
        await self.send(ChatRemoved(what="line", platform="twitch", message_id=line.message_id))

    async def place(self, *, live: bool | None) -> None:
        await self.send(ChatChannel(platform="twitch", channel="streamer", live=live, writes=True))

    async def reply(self) -> str:
        """The next reply."""
        order = await self.expect(ChatSend)
        return order.text.text
