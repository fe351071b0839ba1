"""Kitsu's local REST doors, over the standard library: a verb must begin within milliseconds."""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from kitsu_cli.exits import Exit, VerbError

MAX_ANSWER_BYTES = 16 << 20
CHUNK_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Door:
    """One service's REST address and the token for it."""

    name: str  # for people
    url: str
    token: str

    def get(self, path: str, *, timeout_s: float = 3.0) -> Any:
        """`GET`; the decoded JSON answer.

        Raises:
            VerbError: NOT_RUNNING, TIMEOUT, REFUSED (with the door's own code and message).
        """
        return self._call("GET", path, None, timeout_s)

    def post(self, path: str, body: Any = None, *, timeout_s: float = 3.0) -> Any:
        """`POST` with a JSON body; the decoded JSON answer. Raises like `get`."""
        return self._call("POST", path, body, timeout_s)

    def send(self, path: str, file: BinaryIO, size: int, *, timeout_s: float) -> Any:
        """`POST` of a file as it is. Raises like `get`."""
        with self._request("POST", path, file, timeout_s, {"Content-Length": str(size)}) as response:
            return self._decoded(response.read(MAX_ANSWER_BYTES))

    def chunks(self, path: str, *, timeout_s: float = 10.0) -> Iterator[bytes]:
        """`GET` of something that is not JSON, piece by piece. Raises like `get`."""
        with self._request("GET", path, None, timeout_s) as response:
            while chunk := response.read(CHUNK_BYTES):
                yield chunk

    def _call(self, method: str, path: str, body: Any, timeout_s: float) -> Any:
        payload = None if body is None else json.dumps(body).encode()
        with self._request(method, path, payload, timeout_s) as response:
            return self._decoded(response.read(MAX_ANSWER_BYTES))

    @contextmanager
    def _request(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None,
        timeout_s: float,
        more: dict[str, str] | None = None,
    ) -> Iterator[http.client.HTTPResponse]:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
        kind = "application/json" if more is None else "application/octet-stream"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind, **(more or {})}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise self._refusal(response.status, response.read(MAX_ANSWER_BYTES))
            yield response
        except TimeoutError:
            raise VerbError(Exit.TIMEOUT, "timeout", f"{self.name} did not answer within {timeout_s:g} s.") from None
        except (OSError, http.client.HTTPException):
            raise VerbError(
                Exit.NOT_RUNNING, "not_running", f"{self.name} does not answer at {self.url}. Run: kitsu start"
            ) from None
        finally:
            connection.close()

    def _decoded(self, data: bytes) -> Any:
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise self._nonsense() from None

    def _refusal(self, status: int, data: bytes) -> VerbError:
        try:
            error = json.loads(data)["error"]
            code, message = str(error["code"]), str(error["message"])
        except (ValueError, KeyError, TypeError, RecursionError):
            code, message = "bad_answer", f"{self.name} answered with HTTP {status}."
        return VerbError(Exit.TIMEOUT if status == 504 else Exit.REFUSED, code, message)

    def _nonsense(self) -> VerbError:
        message = f"What answers at {self.url} is not Kitsu's {self.name}. Is the port used by another program?"
        return VerbError(Exit.REFUSED, "bad_answer", message)
