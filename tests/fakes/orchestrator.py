"""An orchestrator as the control door meets it: hub, REST and page stream on one real port.

async with FakeOrchestrator() as orchestrator:
    orchestrator.answers["POST /chat"] = (202, {"turn_id": "t1"})
    ...
    await orchestrator.tell(StreamNotice(level="info", code="hi", message="…"))   # to every open page stream
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Self, cast

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from kitsu.listening import bind
from kitsu.protocol import Message, ShowLevels, StateSnapshot, encode
from kitsu.worker.web import serve
from tests.fakes.hub import FakeHub


@dataclass
class Asked:
    """One REST request."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class _Adapter:
    """A Starlette websocket with the few methods of a websockets connection that `FakeHub` uses."""

    socket: WebSocket
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def recv(self) -> str | bytes:
        message = await self.socket.receive()
        if message["type"] == "websocket.disconnect":
            raise ConnectionClosed(None, None)
        text = message.get("text")
        return cast(str, text) if text is not None else cast(bytes, message["bytes"])

    async def send(self, frame: str | bytes) -> None:
        try:
            await (self.socket.send_text(frame) if isinstance(frame, str) else self.socket.send_bytes(frame))
        except WebSocketDisconnect:
            raise ConnectionClosed(None, None) from None

    async def close(self, code: int = 1000) -> None:
        await self.socket.close(code)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self.recv()
        except ConnectionClosed:
            raise StopAsyncIteration from None


class FakeOrchestrator(FakeHub):
    """Set `snapshot` and `answers` before they are asked for. Every REST answer without a row is 200 `{}`."""

    def __init__(self) -> None:
        super().__init__()
        self.snapshot = StateSnapshot(levels=ShowLevels(panic=None), character="kitsu")
        self.answers: dict[str, tuple[int, Any]] = {}
        self.asked: list[Asked] = []
        self.hold = asyncio.Event()  # cleared: REST does not answer
        self.hold.set()
        self.streams: list[WebSocket] = []
        self.stream_tokens: list[str] = []
        self._seq = 0
        self._serving: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        listening = bind("127.0.0.1", self.port, "port")
        self.port = listening.getsockname()[1]
        routes = [
            WebSocketRoute("/hub", self._hub),
            WebSocketRoute("/stream", self._stream),
            Route("/{path:path}", self._rest, methods=["GET", "POST", "PUT", "DELETE"]),
        ]
        self._serving = asyncio.create_task(serve(Starlette(routes=routes), listening))
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.hold.set()
        self._serving.cancel()
        await asyncio.wait({self._serving})

    async def tell(self, message: Message) -> None:
        """Send a delta to every page stream, with its `seq`."""
        self._seq += 1
        frame = encode(msgspec.structs.replace(message, seq=self._seq))
        assert isinstance(frame, str)
        for stream in list(self.streams):
            try:
                await stream.send_text(frame)
            except (WebSocketDisconnect, RuntimeError):
                self.streams.remove(stream)

    async def drop_streams(self) -> None:
        """Close every page stream, as a restart would."""
        for stream in self.streams:
            await stream.close(1012)
        self.streams.clear()

    async def requests(self, count: int) -> list[Asked]:
        """Wait until there were so many REST requests."""
        async with asyncio.timeout(5), self._changed:
            await self._changed.wait_for(lambda: len(self.asked) >= count)
        return self.asked

    async def _hub(self, socket: WebSocket) -> None:
        await socket.accept()
        await self._serve(cast(ServerConnection, _Adapter(socket)))

    async def _stream(self, socket: WebSocket) -> None:
        self.stream_tokens.append(socket.headers.get("authorization", ""))
        await socket.accept()
        self.streams.append(socket)
        await socket.send_text(cast(str, encode(msgspec.structs.replace(self.snapshot, seq=self._seq))))
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass
        if socket in self.streams:
            self.streams.remove(socket)

    async def _rest(self, request: Request) -> Response:
        body = await request.body()
        asked = Asked(request.method, request.url.path, request.url.query, dict(request.headers), body)
        await self._note(lambda: self.asked.append(asked))
        await self.hold.wait()
        await self.on_request(asked)
        answer = self.answers.get(f"{request.method} {request.url.path}", (200, {}))
        if isinstance(answer[1], bytes):
            return Response(answer[1], answer[0], media_type="audio/wav")
        return JSONResponse(answer[1], answer[0])

    async def on_request(self, asked: Asked) -> None:
        """For scripted shows: act on a request before it is answered."""
