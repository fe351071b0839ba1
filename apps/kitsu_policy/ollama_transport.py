"""HTTP with bounds, below the `ollama` package, which reads lines and error pages of any length into memory."""

from collections.abc import AsyncIterator

import httpx

from kitsu.errors import EngineError

MAX_LINE_BYTES = 1 << 20
MAX_ERROR_BYTES = 64 << 10
_STALE = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class BoundedTransport(httpx.AsyncBaseTransport):
    """Keeps connections, asks anew when a kept one was just closed, and bounds what comes back."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=None, keepalive_expiry=600)
        self._inner = httpx.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            response = await self._inner.handle_async_request(request)
        except _STALE:  # the server closed an idle connection in the moment of its use
            response = await self._inner.handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)
        response.stream = _BoundedStream(response.stream, whole=response.status_code == 200)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class _BoundedStream(httpx.AsyncByteStream):
    """A body. What is not `whole` is cut after `MAX_ERROR_BYTES`."""

    def __init__(self, inner: httpx.AsyncByteStream, *, whole: bool) -> None:
        self._inner = inner
        self._whole = whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = line = 0  # bytes in all, and since the last line's end
        async for data in self._inner:
            yield data
            total += len(data)
            line = len(data) - (end + 1) if (end := data.rfind(b"\n")) >= 0 else line + len(data)
            if not self._whole and total > MAX_ERROR_BYTES:
                return
            if line > MAX_LINE_BYTES:
                raise EngineError("bad_stream", "the model's server sent a line without an end; is it an Ollama?")

    async def aclose(self) -> None:
        await self._inner.aclose()
