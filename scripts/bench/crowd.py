"""A platform app that floods the hub with chat, and a moderator in it who types commands."""

import asyncio
import itertools
import random
import time
from collections import deque

from websockets.asyncio.client import ClientConnection, connect

from bench.errors import BenchError
from bench.stack import Place
from kitsu.protocol import (
    Author,
    AuthorRole,
    ChatBatch,
    ChatLine,
    ChatSend,
    ChatSent,
    Hello,
    HelloAccepted,
    Message,
    decode,
    encode,
)

EVERY_S = 0.02
ROLES: tuple[AuthorRole, ...] = ("viewer",) * 90 + ("sub",) * 7 + ("vip", "mod", "mod")
SHOUTS = ("LUL", "Pog", "gg", "first!", "hype hype hype")
_SAYING = "what do you think about the next game and can we play it together with chat please fox tail dance sing"
WORDS = _SAYING.split()
PEOPLE = 20_000
COMMAND_EVERY_S = 1.0
MODERATOR = Author(name="Mia", role="mod", platform="twitch", user_id="mia", login="mia")


class Crowd:
    """Counts what it sent; `command_ms` is from the command's frame to the reply's."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._random = random.Random(7)
        self.sent = 0
        self.late_s = 0.0  # how far the generator fell behind its own clock
        self.command_ms: list[float] = []
        self.unanswered = 0
        self._asked: deque[float] = deque()
        self._ids = itertools.count(1)

    async def talk(self, lines_per_s: float, seconds: float) -> None:
        """Send so many lines a second, in batches as a platform's app makes them; a command each second."""
        began = time.perf_counter()
        due, ticks = 0.0, round(seconds / EVERY_S)
        next_command = began
        for tick in range(ticks):
            due += lines_per_s * EVERY_S
            count, due = int(due), due - int(due)
            if count:
                await self._send(ChatBatch(lines=tuple(self._line() for _ in range(count))))
                self.sent += count
            if time.perf_counter() >= next_command:
                next_command += COMMAND_EVERY_S
                await self._command()
            wait_s = began + (tick + 1) * EVERY_S - time.perf_counter()
            self.late_s = max(self.late_s, -wait_s)
            await asyncio.sleep(max(0.0, wait_s))

    async def listen(self) -> None:
        """Take replies until cancelled."""
        while True:
            message = decode(await self._socket.recv()).message
            if isinstance(message, ChatSend):
                if self._asked:
                    self.command_ms.append((time.perf_counter() - self._asked.popleft()) * 1000)
                await self._send(ChatSent(parent_id=message.id, state="sent"))

    async def _command(self) -> None:
        self.unanswered = len(self._asked)
        line = ChatLine(author=MODERATOR, text="!ai status", message_id=f"c{time.perf_counter_ns()}")
        self._asked.append(time.perf_counter())
        await self._send(ChatBatch(lines=(line,)))
        self.sent += 1

    async def _send(self, message: Message) -> None:
        await self._socket.send(encode(message))

    def _line(self) -> ChatLine:
        pick = self._random.random
        number = int(pick() * PEOPLE)
        user = f"viewer{number}"
        text = SHOUTS[int(pick() * len(SHOUTS))]
        if pick() < 0.8:
            text = " ".join(WORDS[int(pick() * len(WORDS))] for _ in range(2 + int(pick() * 8)))
        author = Author(name=user, role=ROLES[number % len(ROLES)], platform="twitch", user_id=str(number), login=user)
        message_id = f"m{next(self._ids)}"
        return ChatLine(author=author, text=text, message_id=message_id, mention=pick() < 0.01)


async def join(place: Place) -> Crowd:
    """A crowd on the hub.

    Raises:
        BenchError: `refused`.
    """
    socket = await connect(place.network.hub_url, compression=None, max_size=1 << 20, proxy=None, ping_interval=None)
    await socket.send(encode(Hello(role="twitch", name="bench-crowd", token=place.token())))
    answer = decode(await socket.recv()).message
    if not isinstance(answer, HelloAccepted):
        raise BenchError("refused", f"The hub answered {answer}")
    return Crowd(socket)
