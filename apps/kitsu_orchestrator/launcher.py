"""The launcher's own API, as seen from the orchestrator.

Plain HTTP/1.0 to a program beside us: an HTTP library would cost more memory than all that is said here is worth.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import msgspec

from kitsu.errors import KitsuError

TIMEOUT_S = 2.0
ORDER_TIMEOUT_S = 30.0
MAX_ANSWER_BYTES = 1 << 20
_NO_ANSWER = (OSError, ValueError, RecursionError)  # TimeoutError is an OSError, msgspec's errors are ValueErrors


class Launcher:
    """Asks the launcher how the processes are and passes orders on."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        self._host, self._port, self._token = parts.hostname or "", parts.port or 80, token

    async def status(self) -> dict[str, Any] | None:
        """What the launcher says; None when there is none (somebody started the services by hand)."""
        try:
            code, data = await self._ask("GET", "/status", TIMEOUT_S)
        except _NO_ANSWER:
            return None
        return data if isinstance(data, dict) and code < 300 else None

    async def order(self, name: str, action: str) -> dict[str, Any]:
        """Start, stop or restart a service.

        Raises:
            KitsuError: `no_such_service`, `launcher_missing`, or whatever code the launcher gives.
        """
        try:
            status, data = await self._ask("POST", f"/services/{name}/{action}", ORDER_TIMEOUT_S)
        except _NO_ANSWER:
            raise KitsuError("launcher_missing", "The launcher does not answer.") from None
        if not isinstance(data, dict):
            raise KitsuError("launcher_missing", "What answers at the launcher's port is no launcher.")
        if status >= 400:
            error = found if isinstance(found := data.get("error"), dict) else {}
            code = "no_such_service" if status == 404 else str(error.get("code", "launcher_refused"))
            raise KitsuError(code, str(error.get("message", "The launcher refused.")))
        return data

    async def _ask(self, verb: str, path: str, timeout_s: float) -> tuple[int, Any]:
        """HTTP status and decoded JSON.

        Raises:
            OSError, ValueError, RecursionError: nothing that makes sense was answered in time.
        """
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(self._host, self._port)
            try:
                writer.write(
                    f"{verb} {path} HTTP/1.0\r\nHost: {self._host}:{self._port}\r\n"
                    f"Authorization: Bearer {self._token}\r\nContent-Length: 0\r\n\r\n".encode()
                )
                answer = await _until_the_end(reader)
            finally:
                writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        _, status, *_ = head.split(maxsplit=2)
        return int(status), msgspec.json.decode(body)


async def _until_the_end(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while chunk := await reader.read(MAX_ANSWER_BYTES):
        answer += chunk
        if len(answer) > MAX_ANSWER_BYTES:
            raise ValueError("the answer is too long")
    return answer
