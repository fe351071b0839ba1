"""One kept connection to a REST door. By hand, so that no client library's time is measured with the toolkit's."""

import asyncio
import json
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    text: str
    sent_at: float  # perf_counter s, just before the request was written

    def json(self) -> Any:
        """The body."""
        return json.loads(self.text)


class Door:
    """`call` after `call` over one connection, reopened when the server has closed it."""

    def __init__(self, host: str, port: int, token: str) -> None:
        self._host = host
        self._port = port
        self._token = token
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    async def open(self) -> None:
        """Be connected, so that the next call need not wait for that.

        Raises:
            ConnectionError: nobody listens.
        """
        if self._streams is None or self._streams[0].at_eof():
            self._close()
            self._streams = await asyncio.open_connection(self._host, self._port)

    async def call(self, method: str, path: str, body: object = None) -> Reply:
        """One request and its answer.

        Raises:
            ConnectionError: nobody listens, or the connection broke.
        """
        await self.open()
        assert self._streams
        reader, writer = self._streams
        data = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        sent_at = time.perf_counter()
        try:
            writer.write(head.encode() + data)
            status, text = await _read_answer(reader)
        except BaseException:
            self._close()  # whatever was not read would be taken for the next answer
            raise
        return Reply(status, text, sent_at)

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, str]:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(fields.get("content-length", "0")))
    except asyncio.IncompleteReadError:
        raise ConnectionResetError("the door closed the connection") from None
    return int(head[0].split(" ", 2)[1]), body.decode()
