"""Twitch's process: a connection in, the outlet out, the hub between."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, ClassVar

import msgspec

from kitsu.config import home, load
from kitsu.errors import EngineError, KitsuError, ProtocolError
from kitsu.protocol import (
    Capabilities,
    ChatBatch,
    ChatChannel,
    ChatEvent,
    ChatLine,
    ChatRemoved,
    ChatSend,
    ControlLevels,
    ControlPanic,
    ControlResume,
    HelloAccepted,
    Message,
    PanicConfirmed,
    Role,
    ServiceHealth,
)
from kitsu.telemetry import Latency, log
from kitsu.worker import Process, Worker
from kitsu_twitch.anonymous import AnonymousReader
from kitsu_twitch.batching import Batcher
from kitsu_twitch.config import TwitchSettings
from kitsu_twitch.limits import ChatWindow, Points
from kitsu_twitch.outlet import Outlet
from kitsu_twitch.roles import PLATFORM
from kitsu_twitch.tokens import LOGIN, Login, LoginFile

if TYPE_CHECKING:
    from kitsu_twitch.link import Link

LOOK_EVERY_S = 1.0  # whether somebody has logged in meanwhile
HOW_TO = f"not configured: {LOGIN}; or read only: KITSU__TWITCH__CHANNEL=NAME in .env"


class TwitchWorker(Worker):
    """Reads with the login, or without one; writes with the login alone."""

    role: ClassVar[Role] = "twitch"

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        self._settings: TwitchSettings
        self._key = b""
        self._here = False  # the hub listens
        self._place: ChatChannel | None = None
        self._link: Link | None = None
        self._window, self._points = ChatWindow(), Points()
        self._sending = Latency()
        self._outlet = Outlet(self._write, self.send, self._window, self._points, self._sending)
        self._batcher = Batcher(self._to_hub)
        self._ignored: frozenset[str] = frozenset()
        self.lost_lines = 0  # that came while the hub was away

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        self._settings = load("twitch", TwitchSettings)
        self._ignored = frozenset(name.lower() for name in self._settings.ignored_bots)
        self._file = LoginFile(home().twitch_file)
        outlet = self.tasks.create_task(self._outlet.run(), name="outlet")
        stack.callback(outlet.cancel)
        reading = self.tasks.create_task(self._stay(), name="twitch")
        stack.callback(reading.cancel)
        return Capabilities(features=("not_configured",), note=HOW_TO)

    async def joined(self, accepted: HelloAccepted) -> None:
        self._key = bytes.fromhex(accepted.seal_key)
        self._here = True
        if accepted.levels.panic is None:
            self._outlet.speak()
        else:
            self._outlet.silence()
        if self._place is not None:
            self.send(self._place)

    async def lost(self) -> None:
        """Without a hub nobody knows whether a panic holds."""
        self._here = False
        self._outlet.silence()

    def handle(self, message: Message, payload: memoryview | None) -> None:
        match message:
            case ChatSend():
                self._reply(message)
            case ControlPanic():
                self._panic(message)
            case ControlResume():
                self._outlet.speak()
            case ControlLevels():
                pass  # mute is the voice's, and the hub knows what is on air
            case _:
                log.info("twitch.unexpected", type=type(message).__name__)

    def latency_ms(self) -> dict[str, float]:
        return self._sending.summary("reply")

    def health(self) -> ServiceHealth:
        health = super().health()
        return msgspec.structs.replace(health, queues={**health.queues, "replies": self._outlet.state()})

    # What the connection tells (kitsu_twitch.sink)

    def line(self, line: ChatLine) -> None:
        if line.author.login in self._ignored:
            return
        if self._here:
            self._batcher.add(line)
        else:
            self.lost_lines += 1

    def event(self, event: ChatEvent) -> None:
        if self._here:
            self._batcher.flush()
            self.send(event)

    def removed(self, removed: ChatRemoved) -> None:
        if self._here:
            self._batcher.flush()  # the line that is meant must be there first
            self.send(removed)

    def connected(self, note: str) -> None:
        log.info("twitch.connected", note=note)
        self._describe("twitch", note)
        self.feel("ok")

    def disconnected(self, error: KitsuError) -> None:
        log.warning("twitch.disconnected", code=error.code, message_=error.message)
        if self.feel("degraded" if error.retryable else "failed", error.message) and not error.retryable:
            self.error(error)

    def place(self, *, channel: str, live: bool | None, title: str, category: str, writes: bool) -> None:
        place = {"channel": channel, "live": live, "title": title, "category": category, "writes": writes}
        self._place = ChatChannel(platform=PLATFORM, **place)  # type: ignore[arg-type]
        if self._here:
            self.send(self._place)

    def moderates(self, is_moderator: bool) -> None:
        self._window.moderator(is_moderator)

    def renewed(self, login: Login) -> None:
        try:
            self._file.write(login)
        except EngineError as error:
            self.error(error)

    # how

    async def _stay(self) -> None:
        """Be connected as the settings and the login say; look again when somebody has logged in."""
        while True:
            stamp = self._file.stamp()
            try:
                await self._connect()
            except EngineError as error:
                self.disconnected(error)
            while self._file.stamp() == stamp:  # noqa: ASYNC110 - a file, which nobody announces
                await asyncio.sleep(LOOK_EVERY_S)

    async def _connect(self) -> None:
        """Run the connection; returns when there is nothing to connect to."""
        settings = self._settings
        if settings.mode == "off":
            self._rest("switched off: twitch.mode")
            return
        login = self._file.read() if settings.mode != "anonymous" else None
        if login is not None:
            await self._with(login)
        elif settings.channel and settings.mode != "login":
            await AnonymousReader(settings, self).run()
        else:
            self._rest(HOW_TO)

    async def _with(self, login: Login) -> None:
        from kitsu_twitch.client import point_to  # twitchio costs memory: only who has logged in pays for it
        from kitsu_twitch.link import Link

        point_to(self._settings)
        self._link = Link(self._settings, login, self, self._points)
        try:
            await self._link.run()
        finally:
            self._link = None

    async def _write(self, text: str) -> None:
        if self._link is None:
            raise EngineError("read_only", f"Without a login Kitsu only reads Twitch's chat. Run: {LOGIN}")
        await self._link.write(text)

    def _to_hub(self, batch: ChatBatch) -> None:
        if self._here:
            self.send(batch)
        else:
            self.lost_lines += len(batch.lines)

    def _reply(self, order: ChatSend) -> None:
        try:
            self._outlet.put(order, self._key)
        except ProtocolError as error:
            self.error(error)

    def _panic(self, order: ControlPanic) -> None:
        began = time.perf_counter()
        count = self._outlet.silence()
        ms = round((time.perf_counter() - began) * 1000, 2)
        confirmed = PanicConfirmed(
            panic_id=order.panic.panic_id, exit="twitch", latency_ms=ms, detail=f"{count} replies dropped"
        )
        self.send(confirmed)

    def _rest(self, why: str) -> None:
        """There is nothing to connect to, nor to be silenced."""
        self.capabilities = Capabilities(features=("not_configured",), note=why)
        if not self.feel("ok", why):
            self.send(self.health())

    def _describe(self, engine: str, note: str) -> None:
        self.capabilities = Capabilities(engine=engine, note=note)
        self.send(self.health())
