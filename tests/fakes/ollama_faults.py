"""Ways in which an Ollama, or what stands in its place, can fail: scripts for `FakeOllama`."""

import asyncio

from tests.fakes.ollama_exchange import Exchange, Script


def refuse(status: int, text: str) -> Script:
    """docs/api/errors.mdx, Status codes and Error messages."""

    async def script(exchange: Exchange) -> None:
        await exchange.refuse(status, text)

    return script


def error_after(tokens: int, text: str = "an error was encountered while running the model") -> Script:
    """docs/api/errors.mdx, Errors that occur while streaming: the status stays 200."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        for number in range(tokens):
            await exchange.token(f" {number}")
        await exchange.line({"error": text})
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


def ends_after(tokens: int) -> Script:
    """The body ends properly, but no part said `done`."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        for number in range(tokens):
            await exchange.token(f" {number}")
        await exchange.over()

    return script


def hang_after(tokens: int, *, head: bool = True) -> Script:
    """Some words, then nothing more until the client gives up: a slow first token, or a stall."""

    async def script(exchange: Exchange) -> None:
        if head:
            await exchange.head()
        for number in range(tokens):
            await exchange.token(f" {number}")
        await exchange.until_gone()

    return script


def thinks_for_ever() -> Script:
    """docs/capabilities/thinking.mdx: some models cannot be kept from it."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        while True:
            await exchange.token(thinking="hm ")
            await asyncio.sleep(0.01)

    return script


def unloaded(reason: str = "unload") -> Script:
    """docs/api.md, Load a model and Unload a model: the object that has no words."""

    async def script(exchange: Exchange) -> None:
        message = {"role": "assistant", "content": ""}
        await exchange.object({"model": exchange.model, "message": message, "done": True, "done_reason": reason})

    return script


def raw(data: bytes, kind: str = "application/x-ndjson", status: int = 200, more: str = "") -> Script:
    """Any body."""

    async def script(exchange: Exchange) -> None:
        await exchange.head(status, kind, more)
        for start in range(0, len(data), 1 << 16):
            await exchange.chunk(data[start : start + (1 << 16)])
        await exchange.over()

    return script


def page(status: int = 200) -> Script:
    """Somebody else's web page."""
    return raw(b"<html><body>hello</body></html>", "text/html", status)


def endless_line() -> Script:
    """Bytes without a line's end, for as long as somebody reads."""

    async def script(exchange: Exchange) -> None:
        await exchange.head()
        while True:
            await exchange.chunk(b'{"message":{"role":"assistant","content":"' + b"x" * (1 << 16))

    return script


def slam() -> Script:
    """Close without a word, as a server does with an idle connection."""

    async def script(exchange: Exchange) -> None:
        exchange.closes = True

    return script
