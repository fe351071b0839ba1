"""`/overlay/ws` and `/api/v1/sound`: the websockets of browsers that watch and listen.

Browser -> door, text frames of at most 4 KB: `{"type": "sink.hello", …}` within 5 s, then `sink.position` and
`sink.flushed`; anything else closes the connection. Door -> browser: `hello.accepted` (its `session` is the sink's
name) or `hello.refused`, then messages of the protocol, `playout.frame` as binary.
"""

import asyncio
import math
from typing import Literal

import msgspec
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from kitsu.errors import ProtocolError
from kitsu.protocol import STAGE, HelloRefused, SinkFlushed, SinkPosition, decode, encode
from kitsu.telemetry import log
from kitsu_control.locks import Locks
from kitsu_control.page_sockets import signed_in, wanted_conv
from kitsu_control.places import Places
from kitsu_control.relay import Relay
from kitsu_control.sinks import BrowserSink, Kind

HELLO_TIMEOUT_S = 5.0
MAX_FRAME_BYTES = 4 << 10
MAX_FRAMES_PER_S = 100


class SinkHello(msgspec.Struct, tag_field="type", tag="sink.hello", forbid_unknown_fields=True):
    """First frame of a browser."""

    key: str = ""  # the overlay's; signed-in pages need none
    sound: bool = True
    label: str = ""


class SinkSockets:
    """The two doors to the relay."""

    def __init__(self, relay: Relay, locks: Locks, places: Places) -> None:
        self._relay = relay
        self._locks = locks
        self._places = places

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute("/overlay/ws", self.overlay), WebSocketRoute("/api/v1/sound", self.page)]

    async def overlay(self, socket: WebSocket) -> None:
        """Whoever has the overlay key. Sees the stage only."""
        await self._welcome(socket, "overlay", STAGE)

    async def page(self, socket: WebSocket) -> None:
        """A signed-in page that listens."""
        if not await signed_in(socket, self._locks) or (conv := await wanted_conv(socket)) is None:
            return
        await self._welcome(socket, "page", conv)

    async def _welcome(self, socket: WebSocket, kind: Kind, conv: str) -> None:
        await socket.accept()
        try:
            with self._places.taken():
                hello = await _hello(socket)
                if kind == "overlay" and not self._locks.overlay_key.fits(hello.key):
                    raise ProtocolError("bad_key", "The overlay's key does not work any more. Copy its address again.")
                await self._serve(socket, BrowserSink(kind, conv, sound=hello.sound, label=hello.label[:80]))
        except ProtocolError as error:
            log.warning("sink.refused", kind=kind, code=error.code)
            await _refuse(socket, error)
        except WebSocketDisconnect:
            pass

    async def _serve(self, socket: WebSocket, sink: BrowserSink) -> None:
        self._relay.add(sink)
        log.info("sink.joined", sink=sink.id, conv=sink.conv)
        try:
            async with asyncio.TaskGroup() as group:
                sending = group.create_task(self._send(socket, sink))
                closing = group.create_task(_close_when_asked(socket, sink))
                try:
                    await self._listen(socket, sink)
                finally:
                    sending.cancel()
                    closing.cancel()
        except* WebSocketDisconnect:
            pass
        except* ProtocolError as group_error:
            raise group_error.exceptions[0] from None
        finally:
            self._relay.remove(sink)
            log.info("sink.left", sink=sink.id)

    async def _send(self, socket: WebSocket, sink: BrowserSink) -> None:
        async def send(frame: str | bytes) -> None:
            await (socket.send_text(frame) if isinstance(frame, str) else socket.send_bytes(frame))

        await sink.outbox.pump(send)

    async def _listen(self, socket: WebSocket, sink: BrowserSink) -> None:
        clock = asyncio.get_running_loop()
        second, count = 0, 0
        while True:
            message = _report(await _receive(socket))
            second, count = (second, count + 1) if int(clock.time()) == second else (int(clock.time()), 1)
            if count > MAX_FRAMES_PER_S:
                raise ProtocolError("too_many_frames", f"more than {MAX_FRAMES_PER_S} frames in a second")
            self._relay.report(sink, message)


async def _receive(socket: WebSocket) -> str:
    frame = await socket.receive()
    if frame["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(frame.get("code", 1000))
    text = frame.get("text")
    if text is None:
        raise ProtocolError("wrong_frame_kind", "browsers send text frames")
    if len(text) > MAX_FRAME_BYTES:
        raise ProtocolError("frame_too_large", f"frame over {MAX_FRAME_BYTES} bytes")
    assert isinstance(text, str)
    return text


async def _hello(socket: WebSocket) -> SinkHello:
    try:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            return msgspec.json.decode(await _receive(socket), type=SinkHello)
    except TimeoutError:
        raise ProtocolError("hello_timeout", f"no hello within {HELLO_TIMEOUT_S:.0f} s") from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ProtocolError("bad_hello", "the first frame is not `sink.hello`") from None


def _report(text: str) -> SinkPosition | SinkFlushed:
    try:
        message = decode(text).message
    except UnicodeError:
        raise ProtocolError("bad_json", "frame is not JSON") from None
    match message:
        case SinkPosition(position=position, underruns=underruns) if (
            0 <= position < 1 << 53 and 0 <= underruns < 1 << 31
        ):
            return message
        case SinkFlushed(latency_ms=latency_ms) if math.isfinite(latency_ms) and 0 <= latency_ms < 60_000:
            return message
        case SinkPosition() | SinkFlushed():
            raise ProtocolError("bad_message", "a number is out of range")
        case _:
            raise ProtocolError("forbidden_type", "an overlay may only report what it played")


async def _close_when_asked(socket: WebSocket, sink: BrowserSink) -> None:
    await sink.closing.wait()
    await socket.close(sink.close_code, sink.close_reason)


Code = Literal[4400, 4401, 4408, 4429]
_CODES: dict[str, Code] = {"bad_key": 4401, "hello_timeout": 4408, "too_many_browsers": 4429, "too_many_frames": 4429}


async def _refuse(socket: WebSocket, error: ProtocolError) -> None:
    """Say why, then close."""
    try:
        await socket.send_text(str(encode(HelloRefused(code=error.code, message=error.message))))
        await socket.close(_CODES.get(error.code, 4400), error.code)
    except (WebSocketDisconnect, RuntimeError):  # it has left already (RuntimeError: Starlette's word for that)
        pass
