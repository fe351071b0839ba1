"""Serving HTTP and websockets inside a supervised process."""

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from kitsu.protocol.frames import MAX_BINARY_BYTES

STOP_WITHIN_S = 2


async def serve(
    app: ASGIApp,
    listener: socket.socket,
    *,
    max_frame_bytes: int = MAX_BINARY_BYTES,
    ping_s: float | None = None,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until cancelled; answers that are under way then get `STOP_WITHIN_S` to end.

    Args:
        app: what is served.
        listener: from `bind`.
        max_frame_bytes: longest websocket frame that is taken.
        ping_s: silence after which a websocket is asked whether it lives, and the wait for its answer.
        started: called once requests are answered.
    """
    server = _Server(
        uvicorn.Config(
            app,
            loop="none",
            http="httptools",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=max_frame_bytes,
            ws_ping_interval=ping_s,
            ws_ping_timeout=ping_s,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=STOP_WITHIN_S,
        )
    )
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110  # uvicorn offers no event
            await asyncio.sleep(0.005)
        started()
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Leaves signals alone: the launcher says when to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
