"""Serving HTTP and websockets inside a supervised process."""

import asyncio
import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from kitsu.errors import ConfigError
from kitsu.protocol.frames import MAX_BINARY_BYTES
from kitsu.worker.process import Process


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


async def serve(app: ASGIApp, listener: socket.socket, process: Process) -> None:
    """Serve until the process is told to stop."""
    server = _Server(
        uvicorn.Config(
            app,
            loop="none",
            ws="websockets-sansio",
            ws_per_message_deflate=False,
            ws_max_size=MAX_BINARY_BYTES,
            ws_ping_interval=None,
            http="h11",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started and not task.done():  # noqa: ASYNC110  # uvicorn offers no event
                await asyncio.sleep(0.005)
            process.report()
            await process.stopping.wait()
        finally:
            server.should_exit = True
            await task


class _Server(uvicorn.Server):
    """Leaves signals alone: the launcher says when to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
