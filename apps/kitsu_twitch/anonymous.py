"""Reading a channel's chat without any login: Twitch lets in everyone whose name is `justinfan` and a number."""

import asyncio
import random

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from kitsu.errors import EngineError
from kitsu_twitch import irc
from kitsu_twitch.config import TwitchSettings
from kitsu_twitch.irc import Irc
from kitsu_twitch.limits import BackOff
from kitsu_twitch.sink import Sink

JOIN_TIMEOUT_S = 10.0
SILENCE_S = 330.0  # Twitch pings about every 5 minutes; whoever is silent for longer is gone
MAX_FRAME = 1 << 20


class AnonymousReader:
    """Reads until cancelled."""

    def __init__(self, settings: TwitchSettings, sink: Sink) -> None:
        self._url = settings.irc_url
        self._channel = settings.channel.lower()
        self._sink = sink

    async def run(self) -> None:
        """Stay connected."""
        back_off = BackOff()
        while True:
            try:
                async with connect(self._url, compression=None, max_size=MAX_FRAME, ping_interval=None) as socket:
                    await self._join(socket)
                    back_off.reset()
                    self._sink.connected(f"#{self._channel}, only reading")
                    self._sink.place(channel=self._channel, live=None, title="", category="", writes=False)
                    await self._read(socket)
            except (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
                lost = EngineError("connection_lost", "Twitch's chat is away; trying again.", retryable=True)
                self._sink.disconnected(lost)
            except EngineError as error:
                self._sink.disconnected(error)
            await asyncio.sleep(back_off.next_s())

    async def _join(self, socket: ClientConnection) -> None:
        """Say who we are, and wait until we are in.

        Raises:
            EngineError: `no_such_channel`. Twitch says nothing at all when a channel does not exist.
        """
        await socket.send("CAP REQ :twitch.tv/tags twitch.tv/commands")
        await socket.send(f"NICK justinfan{random.randint(10_000, 99_999)}")  # a name, not a secret
        await socket.send(f"JOIN #{self._channel}")
        try:
            async with asyncio.timeout(JOIN_TIMEOUT_S):
                while True:
                    for line in await _lines(socket):
                        await self._answer_ping(socket, line)
                        if line.command == "ROOMSTATE":
                            return
        except TimeoutError:
            text = f"Twitch did not let us into #{self._channel}: is twitch.channel spelt right?"
            raise EngineError("no_such_channel", text, retryable=True) from None

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            async with asyncio.timeout(SILENCE_S):
                lines = await _lines(socket)
            for line in lines:
                if line.command == "RECONNECT":
                    return
                await self._answer_ping(socket, line)
                self._take(line)

    async def _answer_ping(self, socket: ClientConnection, line: Irc) -> None:
        if line.command == "PING":
            await socket.send(f"PONG :{line.params[-1] if line.params else ''}")

    def _take(self, line: Irc) -> None:
        match line.command:
            case "PRIVMSG":
                if (said := irc.line_of(line)) is not None:
                    self._sink.line(said)
            case "USERNOTICE":
                if (event := irc.event_of(line)) is not None:
                    self._sink.event(event)
            case "CLEARMSG" | "CLEARCHAT":
                if (removed := irc.removed_of(line)) is not None:
                    self._sink.removed(removed)


async def _lines(socket: ClientConnection) -> list[Irc]:
    """The lines of the next frame; a frame may hold several."""
    frame = await socket.recv()
    text = frame if isinstance(frame, str) else frame.decode("utf-8", "replace")
    return [line for line in map(irc.parse, text.split("\n")) if line is not None]
