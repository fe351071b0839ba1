"""A tiny HTTP/1.1 server for the mock engines: keep-alive, chunked answers, no delay of its own."""

import asyncio
import contextlib
import socket
import sys
import time
from collections.abc import Awaitable, Callable

MAX_BODY_BYTES = 4 << 20


class GoneError(ConnectionError):
    """The client has left."""


class Answer:
    """A streamed answer: `begin`, then `chunk` any number of times."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.begun = False

    async def begin(self, status: int = 200, content_type: str = "application/json") -> None:
        """Send the head."""
        self.begun = True
        head = f"HTTP/1.1 {status} OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
        self._writer.write(head.encode())
        await self._writer.drain()

    async def chunk(self, data: bytes) -> None:
        """Send a piece of the body.

        Raises:
            GoneError: nobody reads it.
        """
        if self._writer.is_closing() or self._reader.at_eof():
            raise GoneError
        self._writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self._writer.drain()

    async def end(self) -> None:
        """Send the end of the body."""
        self._writer.write(b"0\r\n\r\n")
        await self._writer.drain()


Handler = Callable[[str, bytes, Answer], Awaitable[None]]  # path, body, answer


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    """Path and body of the next request.

    Raises:
        asyncio.IncompleteReadError, asyncio.LimitOverrunError: the connection ended, or the head has no end.
        ValueError: that was no HTTP.
    """
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    _method, path, _version = lines[0].split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunked_body(reader)
    else:
        length = int(headers.get("content-length", 0))
        if length > MAX_BODY_BYTES:
            raise ValueError("body too large")
        body = await reader.readexactly(length)
    return path.partition("?")[0], body


async def _chunked_body(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while size := int((await reader.readline()).partition(b";")[0], 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
        if len(body) > MAX_BODY_BYTES:
            raise ValueError("body too large")
    await reader.readexactly(2)
    return body


async def serve(handler: Handler, port: int) -> None:
    """Serve on 127.0.0.1 until stdin ends. Prints the port (`port` 0: any) as the first line."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            while True:
                path, body = await read_request(reader)
                answer = Answer(reader, writer)
                await handler(path, body, answer)
                if not answer.begun:
                    await answer.begin(404)
                await answer.end()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", port, limit=MAX_BODY_BYTES)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)
    server.close()


async def until(at: float) -> None:
    """Sleep until `time.perf_counter()` says `at` s: delays do not add up."""
    delay = at - time.perf_counter()
    if delay > 0:
        await asyncio.sleep(delay)
