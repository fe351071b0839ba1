"""`/api/v1/stream`: the orchestrator's page stream, for signed-in browsers.

Nothing is kept here: a slow browser slows this reader, the orchestrator notices, drops its oldest and sends a fresh
snapshot.
"""

import asyncio

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from kitsu.errors import ProtocolError
from kitsu.protocol.frames import MAX_TEXT_BYTES
from kitsu_control.locks import Locks
from kitsu_control.page_sockets import signed_in
from kitsu_control.places import Places

ORCHESTRATOR_GONE = 4503
SAID_SOMETHING = 4400
OPEN_TIMEOUT_S = 3.0


class StreamProxy:
    """One websocket in, one out."""

    def __init__(self, url: str, token: str, locks: Locks, places: Places) -> None:
        self._url = url
        self._token = token
        self._locks = locks
        self._places = places

    def routes(self) -> list[WebSocketRoute]:
        return [WebSocketRoute("/api/v1/stream", self.stream)]

    async def stream(self, socket: WebSocket) -> None:
        """The endpoint."""
        if not await signed_in(socket, self._locks):
            return
        await socket.accept()
        try:
            with self._places.taken():
                await self._relay(socket)
        except ProtocolError as error:
            await socket.close(4429, error.code)
        except (WebSocketDisconnect, RuntimeError):  # RuntimeError: Starlette's word for "closed already"
            pass

    async def _relay(self, socket: WebSocket) -> None:
        try:
            async with (
                connect(
                    self._url,
                    additional_headers={"Authorization": f"Bearer {self._token}"},
                    compression=None,
                    max_size=MAX_TEXT_BYTES,
                    max_queue=4,
                    open_timeout=OPEN_TIMEOUT_S,
                    proxy=None,
                ) as source,
                asyncio.TaskGroup() as group,
            ):
                forward = group.create_task(_forward(source, socket))
                code = await _until_it_ends(socket, forward)
                forward.cancel()
        except* (ConnectionClosed, InvalidHandshake, OSError, TimeoutError):
            code = ORCHESTRATOR_GONE
        except* WebSocketDisconnect:
            code = 0
        if code:
            await socket.close(code, "the orchestrator is not there" if code == ORCHESTRATOR_GONE else "read only")


async def _forward(source: ClientConnection, socket: WebSocket) -> None:
    async for frame in source:
        if isinstance(frame, str):
            await socket.send_text(frame)
    raise ConnectionClosed(None, None)


async def _until_it_ends(socket: WebSocket, forward: asyncio.Task[None]) -> int:
    """The code to close with; 0 when the browser left."""
    message = await socket.receive()
    return 0 if message["type"] == "websocket.disconnect" else SAID_SOMETHING
