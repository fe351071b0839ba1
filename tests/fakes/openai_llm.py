"""A server that speaks the OpenAI chat API over a real socket, well or badly.

async with FakeLlm() as llm:
    llm.reply = ["Hello", " there"]
    llm.script(cut_after(1))          # the next request only; later ones get `reply`
"""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Self

Script = Callable[["Exchange"], Awaitable[None]]


class Exchange:
    """One request, and the means to answer it."""

    def __init__(self, llm: "FakeLlm", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
        self.llm = llm
        self.body = body
        self.closes = False  # the connection ends with this answer
        self._reader = reader
        self._writer = writer

    async def head(self, status: int = 200, kind: str = "text/event-stream") -> None:
        await self.bytes(
            f"HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )

    async def chunk(self, data: bytes) -> None:
        await self.bytes(b"%x\r\n%b\r\n" % (len(data), data))

    async def event(self, **choice: Any) -> None:
        """One chat completion chunk."""
        await self.chunk(b"data: " + json.dumps({"id": "x", "choices": [{"index": 0, **choice}]}).encode() + b"\n\n")

    async def token(self, text: str) -> None:
        await self.event(delta={"content": text}, finish_reason=None)

    async def end(self, finish: str = "stop") -> None:
        await self.event(delta={}, finish_reason=finish)
        await self.chunk(b"data: [DONE]\n\n")
        await self.over()

    async def over(self) -> None:
        """The end of the response's body."""
        await self.bytes(b"0\r\n\r\n")

    async def bytes(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def until_gone(self) -> None:
        """Wait until the client has closed the connection."""
        with suppress(ConnectionError):
            await self._reader.read(1)
        self.llm.aborted.set()
        self.closes = True


class FakeLlm:
    """`requests` are the decoded bodies, `bodies` the raw ones, in order; `connections` counts sockets."""

    def __init__(self) -> None:
        self.reply: Sequence[str] = ("Hello", " there", ",", " friend", ".")
        self.requests: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []
        self.headers: list[str] = []
        self.connections = 0
        self.aborted = asyncio.Event()
        self.asked = asyncio.Event()
        self._scripts: deque[Script] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def script(self, *scripts: Script) -> None:
        """How the next requests are answered, one script each."""
        self._scripts.extend(scripts)

    def forget(self) -> None:
        """Start counting anew."""
        self.requests.clear()
        self.bodies.clear()
        self.headers.clear()
        self.asked.clear()
        self.aborted.clear()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next(
                    int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")
                )
                exchange = Exchange(self, reader, writer, await reader.readexactly(length))
                await self._answer(head, exchange)
                if exchange.closes:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client went, or the test is over
        finally:
            writer.close()

    async def _answer(self, head: str, exchange: Exchange) -> None:
        self.headers.append(head)
        self.bodies.append(exchange.body)
        self.requests.append(json.loads(exchange.body))
        self.asked.set()
        if not head.startswith("POST /v1/chat/completions "):
            await error(404, "no such path")(exchange)
        elif self._scripts:
            await self._scripts.popleft()(exchange)
        else:
            await speak(self.reply)(exchange)


def speak(tokens: Sequence[str], finish: str = "stop") -> Script:
    """A whole answer."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        await exchange.event(delta={"role": "assistant", "content": None})
        for token in tokens:
            await exchange.token(token)
        await exchange.end(finish)

    return script


def error(status: int, message: str, kind: str = "application/json") -> Script:
    """An error in the API's form; status 200 is possible."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(status, kind)
        await exchange.chunk(json.dumps({"error": {"message": message, "type": "x"}}).encode())
        await exchange.over()

    return script


def cut_after(tokens: int) -> Script:
    """The connection breaks in the middle of an answer."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        for number in range(tokens):
            await exchange.token(f" {number}")
        exchange.closes = True

    return script


def hang_after(tokens: int) -> Script:
    """Some words, then nothing more until the client gives up."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        for number in range(tokens):
            await exchange.token(f" {number}")
        await exchange.until_gone()

    return script


def pings() -> Script:
    """Signs of life, and never a word."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        while True:
            await exchange.chunk(b": ping\n\n")
            await asyncio.sleep(0.01)

    return script


def raw(data: bytes, kind: str = "text/event-stream", status: int = 200) -> Script:
    """Any body."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(status, kind)
        for start in range(0, len(data), 1 << 16):
            await exchange.chunk(data[start : start + (1 << 16)])
        await exchange.over()

    return script


def slam() -> Script:
    """Close without a word, as a server does with an idle connection."""

    async def script(exchange: Exchange) -> None:
        exchange.closes = True

    return script
