"""One exchange of HTTP with a scripted Ollama: what a request holds, and its answer piece by piece."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.ollama import FakeOllama

Script = Callable[["Exchange"], Awaitable[None]]

CREATED_AT = "2025-10-26T17:15:24.097767Z"


class Exchange:
    """One request, and the means to answer it."""

    def __init__(self, ollama: "FakeOllama", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.ollama = ollama
        self.body: dict[str, Any] = {}
        self.closes = False  # the connection ends with this answer
        self._reader = reader
        self._writer = writer

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    async def head(self, status: int = 200, kind: str = "application/x-ndjson", more: str = "") -> None:
        """docs/api/streaming.mdx: streams are application/x-ndjson."""
        head = f"HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\n{more}Transfer-Encoding: chunked\r\n\r\n"
        await self.bytes(head.encode())

    async def line(self, data: object) -> None:
        """One JSON object of a stream."""
        await self.chunk(json.dumps(data).encode() + b"\n")

    async def token(self, content: str = "", **message: Any) -> None:
        """docs/api.md, Generate a chat completion, Chat request (Streaming): one part of the answer."""
        await self.line(self._part({"role": "assistant", "content": content, **message}, done=False))

    async def end(self, reason: str = "stop", tokens: int = 1) -> None:
        """The same section: the final response, with its statistics (ns; zero values are left out)."""
        statistics = {"total_duration": 4883583458, "prompt_eval_count": 26, "eval_count": tokens}
        await self.line(self._part({"role": "assistant", "content": ""}, done=True, done_reason=reason, **statistics))
        await self.over()

    async def object(self, data: object, status: int = 200) -> None:
        """A single JSON object as the whole answer. docs/api/errors.mdx: errors are {"error": text}, too."""
        await self.head(status, "application/json; charset=utf-8")
        await self.chunk(json.dumps(data).encode())
        await self.over()

    async def refuse(self, status: int, text: str) -> None:
        await self.object({"error": text}, status)

    async def chunk(self, data: bytes) -> None:
        await self.bytes(b"%x\r\n%b\r\n" % (len(data), data))

    async def over(self) -> None:
        """The end of the response's body."""
        await self.bytes(b"0\r\n\r\n")

    async def bytes(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def text(self, status: int, text: str) -> None:
        await self.head(status, "text/plain")
        await self.chunk(text.encode())
        await self.over()

    async def until_gone(self) -> None:
        """Wait until the client has closed the connection."""
        with suppress(ConnectionError):
            await self._reader.read(1)
        self.ollama.aborted.set()
        self.closes = True

    def _part(self, message: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return {"model": self.model, "created_at": CREATED_AT, "message": message, **fields}
