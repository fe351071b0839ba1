"""An OpenAI-compatible speech server over a real socket: `POST /v1/audio/speech`, streamed, well-behaved or not."""

import asyncio
import json
import math
import struct
from array import array
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Self

RATE_HZ = 24_000
CHUNK_S = 0.1
S_PER_CHAR = 0.06

Respond = Callable[["FakeSpeech", asyncio.StreamWriter, dict[str, Any]], Awaitable[None]]


PITCHES_HZ = {"echo": 240}  # the other voices: 150


@cache
def _chunk(hz: int) -> bytes:
    period, count = RATE_HZ // hz, round(CHUNK_S * RATE_HZ)
    swell = (9000 * math.sin(math.pi * n / count) for n in range(count))
    return array("h", (int(level * (2 * (n % period) / period - 1)) for n, level in enumerate(swell))).tobytes()


def sound(text: str, voice: str = "") -> bytes:
    """Something like speech: a buzz that swells ten times a second, 60 ms a character; s16le mono."""
    return _chunk(PITCHES_HZ.get(voice, 150)) * math.ceil(len(text) * S_PER_CHAR / CHUNK_S)


def wav(pcm: bytes, *, channels: int = 1, bits: int = 16, size: int | None = None) -> bytes:
    """A WAV; `size` is what the header claims (default: the truth)."""
    size = len(pcm) if size is None else size
    block = channels * bits // 8
    return (
        struct.pack("<4sI4s", b"RIFF", (36 + size) & 0xFFFFFFFF, b"WAVE")
        + struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, RATE_HZ, RATE_HZ * block, block, bits)
        + struct.pack("<4sI", b"data", size)
        + pcm
    )


class FakeSpeech:
    """Set `respond` to change how it behaves. Counts connections, requests, and answers that the client left."""

    def __init__(self) -> None:
        self.respond: Respond = stream_asked
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        self.left = asyncio.Event()  # a client hung up before the end
        self.hold = asyncio.Event()  # `slow` answers wait for it

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._serving: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answer: asyncio.Task[None] | None = None
        try:
            while request := await self._read(reader):
                self.requests.append(request)
                watch = asyncio.create_task(reader.read(1))  # ends when the client hangs up
                answer = asyncio.create_task(self._answer(writer, request))
                await asyncio.wait({watch, answer}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.done():
                    self.left.set()
                    break
                watch.cancel()
                await asyncio.wait({watch})
                if writer.is_closing():
                    break
        except ConnectionError:
            self.left.set()
        finally:
            if answer:
                answer.cancel()
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
        try:
            await self.respond(self, writer, request)
        except ConnectionError:
            self.left.set()

    async def _read(self, reader: asyncio.StreamReader) -> dict[str, Any] | None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError:
            return None
        assert head[0] == "POST /v1/audio/speech HTTP/1.1", head[0]
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
        self.headers.append(headers)
        request = json.loads(await reader.readexactly(int(headers["content-length"])))
        assert isinstance(request, dict)
        return request


def head(writer: asyncio.StreamWriter, kind: str, status: str = "200 OK") -> None:
    """Start a chunked answer."""
    writer.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode("latin-1"))


async def body(writer: asyncio.StreamWriter, data: bytes, step: int) -> None:
    """Send `data` in HTTP chunks of `step` bytes."""
    for at in range(0, len(data), step):
        part = data[at : at + step]
        writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0)


async def end(writer: asyncio.StreamWriter) -> None:
    """Finish a chunked answer."""
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def stream_asked(fake: FakeSpeech, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
    """As asked: PCM or WAV in pieces of 100 ms."""
    pcm = sound(request["input"], request["voice"])
    is_wav = request["response_format"] == "wav"
    head(writer, "audio/wav" if is_wav else "audio/pcm")
    await body(writer, wav(pcm) if is_wav else pcm, round(CHUNK_S * RATE_HZ) * 2)
    await end(writer)


def answer(data: bytes, kind: str = "audio/pcm", *, status: str = "200 OK", step: int = 4800) -> Respond:
    """Always this."""

    async def respond(fake: FakeSpeech, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
        head(writer, kind, status)
        await body(writer, data, step)
        await end(writer)

    return respond


async def slow(fake: FakeSpeech, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
    """The first 100 ms, then nothing until `hold` is set."""
    head(writer, "audio/pcm")
    await body(writer, sound(request["input"])[:4800], 4800)
    await fake.hold.wait()
    await end(writer)


async def mute(fake: FakeSpeech, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
    """No answer until `hold` is set."""
    await fake.hold.wait()


async def cut(fake: FakeSpeech, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
    """Breaks off in the middle of a piece."""
    head(writer, "audio/pcm")
    await body(writer, sound(request["input"])[:4800], 4800)
    writer.write(b"12c0\r\n" + b"\1" * 100)
    await writer.drain()
    writer.close()


async def no_http(fake: FakeSpeech, writer: asyncio.StreamWriter, request: dict[str, Any]) -> None:
    """Not HTTP at all."""
    writer.write(b"SSH-2.0-hello\r\n\r\n")
    await writer.drain()
    writer.close()
