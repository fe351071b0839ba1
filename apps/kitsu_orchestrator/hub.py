"""The hub: one websocket a worker, each message checked against its role's send-list; the newest of a role wins."""

import asyncio
import hmac
from collections import Counter
from typing import Any, Protocol

from starlette.websockets import WebSocket, WebSocketDisconnect

from kitsu.errors import ProtocolError
from kitsu.protocol import (
    EXITS,
    MAY_SEND,
    PROTOCOL_VERSION,
    Capabilities,
    Hello,
    HelloAccepted,
    HelloRefused,
    Message,
    Role,
    ServiceHealth,
    ShowLevels,
    Unknown,
    decode,
    encode,
    new_id,
    type_of,
)
from kitsu.protocol.frames import MAX_HELLO_BYTES
from kitsu.telemetry import log
from kitsu.worker import Outbox

HELLO_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0


class Peer:
    """One connected worker."""

    def __init__(self, hello: Hello, socket: WebSocket) -> None:
        self.role: Role = hello.role
        self.name = hello.name
        self.session = new_id()
        self.capabilities: Capabilities = hello.capabilities
        self.health: ServiceHealth | None = None
        self.outbox = Outbox()
        self.socket = socket
        self.ended: asyncio.Future[ProtocolError] = asyncio.get_running_loop().create_future()

    def put(self, frame: str | bytes) -> bool:
        """Queue a control frame. False, and the end of the connection: the worker has stopped reading."""
        if self.outbox.put_frame(frame):
            return True
        self.end(ProtocolError("stopped_reading", "too many messages wait for this worker"))
        return False

    def end(self, reason: ProtocolError) -> None:
        """Close the connection soon."""
        if not self.ended.done():
            self.ended.set_result(reason)

    async def send_frame(self, frame: str | bytes) -> None:
        """Write one frame to the socket."""
        if isinstance(frame, str):
            await self.socket.send_text(frame)
        else:
            await self.socket.send_bytes(frame)


class Listener(Protocol):
    """What the hub tells the show."""

    def welcome(self) -> tuple[ShowLevels, dict[str, int]]: ...
    def joined(self, peer: Peer) -> None: ...
    def left(self, peer: Peer) -> None: ...
    def received(self, peer: Peer, message: Message, frame: str | bytes) -> None: ...


class Hub:
    """All connected workers."""

    def __init__(self, token: str, seal_key: bytes) -> None:
        self._token = token.encode()
        self._seal_key = seal_key
        self._listener: Listener
        self._peers: dict[Role, Peer] = {}
        self._arrivals = asyncio.Event()
        self.refused: Counter[str] = Counter()
        self._unknown: set[str] = set()

    def attach(self, listener: Listener) -> None:
        """Name who is told what happens."""
        self._listener = listener

    def peer(self, role: Role) -> Peer | None:
        """The worker that plays `role` now."""
        return self._peers.get(role)

    def peers(self) -> list[Peer]:
        """Every connected worker."""
        return list(self._peers.values())

    async def wait_for(self, role: Role, timeout_s: float) -> Peer | None:
        """The worker of `role`, waiting for it to come back if need be."""
        try:
            async with asyncio.timeout(timeout_s):
                while (peer := self._peers.get(role)) is None:
                    self._arrivals.clear()
                    await self._arrivals.wait()
        except TimeoutError:
            return None
        return peer

    def send(self, role: Role, message: Message) -> bool:
        """Queue a control message. False: that worker is not there (or has stopped reading)."""
        peer = self._peers.get(role)
        return peer is not None and peer.put(encode(message))

    async def send_media(self, role: Role, conv: str, gen: int, frame: str | bytes) -> None:
        """Queue a media frame, waiting while the worker is behind. Lost when it is not there."""
        peer = self._peers.get(role)
        if peer is not None:
            await peer.outbox.put_waiting(conv, gen, frame)

    def broadcast(self, message: Message) -> None:
        """Queue a control message for every worker."""
        frame = encode(message)
        for peer in self._peers.values():
            peer.put(frame)

    def flush(self, conv: str, gen: int) -> None:
        """Forget media older than `gen` that waits for any worker."""
        for peer in self._peers.values():
            peer.outbox.flush(conv, gen)

    async def serve(self, socket: WebSocket) -> None:
        """One connection, from handshake to its end."""
        await socket.accept()
        try:
            peer = await self._welcome(socket)
        except ProtocolError as error:
            self.refused[error.code] += 1
            log.warning("hub.refused", code=error.code, message=error.message)
            await _close(socket, error)
            return
        except WebSocketDisconnect:
            return
        self._join(peer)
        try:
            await self._talk(peer)
        except ProtocolError as error:
            self.refused[error.code] += 1
            log.error("hub.worker_refused", role=peer.role, code=error.code, message=error.message)
            self._leave(peer)  # before the farewell, which waits for whoever has stopped reading
            await _close(socket, error)
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: starlette's word for sending on a closed socket
            pass
        finally:
            self._leave(peer)

    async def _welcome(self, socket: WebSocket) -> Peer:
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                frame = await _receive(socket)
        except TimeoutError:
            raise ProtocolError("hello_timeout", f"no hello within {HELLO_TIMEOUT_S:g} s") from None
        if len(frame.encode() if isinstance(frame, str) else frame) > MAX_HELLO_BYTES:
            raise ProtocolError("bad_hello", f"hello over {MAX_HELLO_BYTES} bytes")
        hello = decode(frame).message
        if not isinstance(hello, Hello) or hello.role == "orchestrator":
            raise ProtocolError("bad_hello", "the first message must be a worker's `hello`")
        if not hmac.compare_digest(hello.token.encode("utf-8", "surrogatepass"), self._token):
            raise ProtocolError("bad_token", "the token is not this show's; workers read it from secrets/token")
        if hello.protocol != PROTOCOL_VERSION:
            raise ProtocolError("bad_protocol", f"the hub speaks protocol {PROTOCOL_VERSION}, not {hello.protocol}")
        return Peer(hello, socket)

    def _join(self, peer: Peer) -> None:
        older = self._peers.pop(peer.role, None)
        if older is not None:
            log.info("hub.replaced", role=peer.role, session=older.session)
            older.end(ProtocolError("role_taken", f"a newer worker plays {older.role!r} now"))
            self._listener.left(older)
        levels, gens = self._listener.welcome()
        key = self._seal_key.hex() if peer.role in EXITS else ""
        peer.put(encode(HelloAccepted(session=peer.session, levels=levels, gens=gens, seal_key=key)))
        self._peers[peer.role] = peer
        self._arrivals.set()
        log.info("hub.joined", role=peer.role, name=peer.name, session=peer.session)
        self._listener.joined(peer)

    def _leave(self, peer: Peer) -> None:
        if self._peers.get(peer.role) is peer:
            del self._peers[peer.role]
            log.info("hub.left", role=peer.role, session=peer.session)
            self._listener.left(peer)

    async def _talk(self, peer: Peer) -> None:
        sender = asyncio.create_task(peer.outbox.pump(peer.send_frame))
        receiver = asyncio.create_task(self._receive_all(peer))
        done: set[asyncio.Future[Any]] = set()
        try:
            done, _ = await asyncio.wait((sender, receiver, peer.ended), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sender.cancel()
            receiver.cancel()
            results = await asyncio.gather(sender, receiver, return_exceptions=True)
        if peer.ended in done:
            raise peer.ended.result()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _receive_all(self, peer: Peer) -> None:
        allowed = MAY_SEND[peer.role]
        while True:
            frame = await _receive(peer.socket)
            message = decode(frame).message
            if isinstance(message, Unknown):
                self._log_unknown(peer.role, message.name)
            elif type(message) not in allowed or message.source not in ("", peer.role):
                raise ProtocolError("forbidden_type", f"role {peer.role!r} may not send {type_of(message)}")
            elif isinstance(message, ServiceHealth):
                peer.health, peer.capabilities = message, message.capabilities
                self._listener.received(peer, message, frame)
            else:
                self._listener.received(peer, message, frame)

    def _log_unknown(self, role: Role, name: str) -> None:
        if name not in self._unknown and len(self._unknown) < 100:
            self._unknown.add(name)
            log.info("protocol.unknown_type", role=role, name=name)


async def _receive(socket: WebSocket) -> str | bytes:
    event = await socket.receive()
    if event["type"] != "websocket.receive":
        raise WebSocketDisconnect(event.get("code", 1005))
    text: str | None = event.get("text")
    if text is not None:
        return text
    data: bytes = event["bytes"]
    return data


async def _close(socket: WebSocket, error: ProtocolError) -> None:
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await socket.send_text(str(encode(HelloRefused(code=error.code, message=error.message))))
            await socket.close(4400, error.code)
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        pass
