"""The base of every hub worker: join, receive, send, come back."""

import asyncio
import random
from contextlib import AsyncExitStack
from typing import ClassVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from kitsu.config import NetworkSettings, home, load, read_secret
from kitsu.errors import KitsuError, ProtocolError
from kitsu.process import Process, State
from kitsu.protocol import (
    Capabilities,
    Hello,
    HelloAccepted,
    HelloRefused,
    Message,
    Role,
    ServiceError,
    ServiceHealth,
    Unknown,
    decode,
    encode,
    type_of,
)
from kitsu.protocol.frames import MAX_BINARY_BYTES
from kitsu.telemetry import log
from kitsu.worker.outbox import Outbox

HELLO_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 0.5  # unread frames can hold a farewell up; nobody waits for it
HEALTH_EVERY_S = 5.0
FIRST_DELAY_S = 0.05  # before the next try to reach the hub
LONGEST_DELAY_S = 1.0


class Worker:
    """Override `start`, `handle` and, where needed, `joined` and `lost`."""

    role: ClassVar[Role]

    def __init__(self, process: Process) -> None:
        self.process = process
        self.outbox = Outbox()
        self.capabilities = Capabilities()
        self.tasks: asyncio.TaskGroup  # of the process; for work that outlives a connection
        self._unknown: set[str] = set()
        self._joined = False
        self._state: tuple[State, str] = ("ok", "")

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        """Load and warm up; whatever must be closed at the end goes on `stack`. Called once, before the first hello."""
        raise NotImplementedError

    async def joined(self, accepted: HelloAccepted) -> None:
        """The hub took us in."""

    def handle(self, message: Message, payload: memoryview | None) -> None:
        """One message, in order. Must return at once; long work goes to `self.tasks`."""
        raise NotImplementedError

    async def lost(self) -> None:
        """The hub is gone; we try again until it is back."""

    def latency_ms(self) -> dict[str, float]:
        """Latencies by stage, for `service.health`."""
        return {}

    def send(self, message: Message) -> None:
        """Queue a control message."""
        if not self.outbox.put(message):
            log.warning("outbox.full", type=type_of(message))

    async def send_media(self, message: Message, payload: bytes | memoryview) -> None:
        """Queue a binary message, waiting while the hub is behind."""
        await self.outbox.put_waiting(message.conv, message.gen, encode(message, payload), message.turn_id)

    def error(self, error: KitsuError) -> None:
        """Tell hub and log about a failure."""
        log.warning("worker.error", code=error.code, message=error.message, retryable=error.retryable)
        self.send(ServiceError(code=error.code, message=error.message, retryable=error.retryable))

    def feel(self, state: State, reason: str = "") -> bool:
        """Change how this worker is; tells hub and launcher when it did change, and returns whether it did."""
        if (state, reason) == self._state:
            return False
        self._state = (state, reason)
        self._report()
        self.send(self.health())
        return True

    def health(self) -> ServiceHealth:
        """What `service.health` says now."""
        state, reason = self._state
        return ServiceHealth(
            state=state,
            reason=reason,
            latency_ms=self.latency_ms(),
            queues=self.outbox.state(),
            capabilities=self.capabilities,
        )

    async def run(self) -> None:
        """Start, then stay on the hub until cancelled. Connection errors reconnect; anything else ends the process."""
        network = load("network", NetworkSettings)
        token = read_secret(home().token_file)
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as self.tasks:
            self.capabilities = await self.start(stack)
            delay = FIRST_DELAY_S
            while True:
                try:
                    async with connect(
                        network.hub_url,
                        compression=None,
                        max_size=MAX_BINARY_BYTES,
                        ping_interval=None,
                        proxy=None,
                        close_timeout=CLOSE_TIMEOUT_S,
                    ) as socket:
                        await self._join(socket, token)
                        delay = FIRST_DELAY_S
                        await self._talk(socket)
                except* (ConnectionClosed, InvalidHandshake, OSError, TimeoutError) as group:
                    log.info("hub.unreachable", error=str(group.exceptions[0]))
                await self._left()
                await asyncio.sleep(delay * random.uniform(0.5, 1.0))  # jitter, not a secret
                delay = min(delay * 1.6, LONGEST_DELAY_S)

    def _report(self) -> None:
        state, reason = self._state if self._joined else ("degraded", "waiting for the hub")
        self.process.report(ready=self._joined, state=state, reason=reason)

    async def _left(self) -> None:
        self._joined = False
        self.outbox.clear()
        self._report()
        await self.lost()

    async def _join(self, socket: ClientConnection, token: str) -> None:
        hello = Hello(role=self.role, name=self.process.name, token=token, capabilities=self.capabilities)
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            await socket.send(encode(hello))
            answer = decode(await socket.recv()).message
        if isinstance(answer, HelloRefused):
            raise ProtocolError(answer.code, answer.message)
        if not isinstance(answer, HelloAccepted):
            raise ProtocolError("bad_hello", f"the hub answered hello with {type_of(answer)}")
        await self.joined(answer)
        self._joined = True
        self._report()
        log.info("hub.joined", session=answer.session)

    async def _talk(self, socket: ClientConnection) -> None:
        async with asyncio.TaskGroup() as group:
            sender = group.create_task(self.outbox.pump(socket.send))
            health = group.create_task(self._tell_health())
            async for frame in socket:
                self._receive(frame)
            sender.cancel()
            health.cancel()

    def _receive(self, frame: str | bytes) -> None:
        try:
            message, payload = decode(frame)
        except ProtocolError as error:
            self.error(error)
            return
        match message:
            case Unknown(name=name):
                self._log_unknown(name)
            case HelloRefused(code=code, message=why):  # a newer worker plays our role, or we sent what we may not
                raise ProtocolError(code, why)
            case _:
                self.handle(message, payload)

    async def _tell_health(self) -> None:
        while True:
            self.send(self.health())
            await asyncio.sleep(HEALTH_EVERY_S)

    def _log_unknown(self, name: str) -> None:
        if name not in self._unknown and len(self._unknown) < 100:
            self._unknown.add(name)
            log.info("protocol.unknown_type", name=name)
