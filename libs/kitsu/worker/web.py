"""Serving HTTP and websockets inside a supervised process."""

import asyncio
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from kitsu.errors import ConfigError
from kitsu.protocol.frames import MAX_BINARY_BYTES

STOP_WITHIN_S = 2


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigError: `port_in_use`, `cannot_listen`; both name the setting.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle off on what it accepts; without, each small frame may wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there, this option would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        code = "port_in_use" if error.errno in _IN_USE else "cannot_listen"
        raise ConfigError(
            code,
            f"{host}:{port} ({setting}): {error.strerror}. "
            f"Stop the program that uses it, or set another port in configs/kitsu.yaml.",
        ) from None
    listener.setblocking(False)
    return listener


_IN_USE = frozenset({98, 48, 10048})  # EADDRINUSE on Linux, macOS, Windows (WSAEADDRINUSE)


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
