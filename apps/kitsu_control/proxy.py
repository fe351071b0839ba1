"""`/api/v1/*`: the orchestrator's REST, for signed-in browsers and the token's holder."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import httpx
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from kitsu_control.answers import RequestError, piped_body, read_body
from kitsu_control.locks import Locks

TIMEOUT = httpx.Timeout(10.0, connect=2.0, read=330.0)  # `POST /chat` may wait for a turn's end
FILES = "transcribe"  # takes sound files, and works on them for a while
FILES_TIMEOUT = httpx.Timeout(30.0, connect=2.0, read=1830.0)
MAX_FILE_BYTES = 64 << 20
ASKED = ("accept", "content-type", "range", "if-none-match")
TOLD = (
    "content-type",
    "content-length",
    "content-range",
    "content-disposition",
    "accept-ranges",
    "etag",
    "retry-after",
)


class Proxy:
    """Adds the token that browsers never see; takes off everything that is between browser and door."""

    def __init__(self, client: httpx.AsyncClient, url: str, token: str, locks: Locks) -> None:
        self._client = client
        self._url = url
        self._token = token
        self._locks = locks

    def routes(self) -> list[Route]:
        return [Route("/api/v1/{path:path}", self.forward, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])]

    async def forward(self, request: Request) -> Response:
        """The endpoint.

        Raises:
            RequestError: 401, 408, 413, 404 `bad_path`, 502 `orchestrator_down`, 504 `orchestrator_slow`.
        """
        self._locks.want_sign_in(request)
        path = request.path_params["path"]
        if any(part in ("", ".", "..") for part in path.split("/")):
            raise RequestError(404, "bad_path", "There is nothing at this address.")
        is_file = (request.method, path) == ("POST", FILES)
        question = self._client.build_request(
            request.method,
            httpx.URL(f"{self._url}/{quote(path)}", query=request.url.query.encode()),
            headers={name: request.headers[name] for name in ASKED if name in request.headers}
            | {"authorization": f"Bearer {self._token}", "accept-encoding": "identity"},
            content=piped_body(request, MAX_FILE_BYTES) if is_file else await read_body(request),
            timeout=FILES_TIMEOUT if is_file else TIMEOUT,
        )
        try:
            answer = await self._client.send(question, stream=True)
        except httpx.TimeoutException:
            raise RequestError(504, "orchestrator_slow", "The orchestrator did not answer in time.") from None
        except httpx.TransportError:
            message = "The orchestrator is not there. Kitsu is silent until it is back; `kitsu status` says why."
            raise RequestError(502, "orchestrator_down", message) from None
        headers = {name: answer.headers[name] for name in TOLD if name in answer.headers}
        return StreamingResponse(_body(answer), answer.status_code, headers)


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    finally:
        await answer.aclose()
