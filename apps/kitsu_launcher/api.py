"""The launcher's door: status, start and stop, and the second path of panic. Only programs on this machine use it."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kitsu.doors import MAX_BODY_BYTES, BodyTooLargeError, Guard, local_hosts
from kitsu.panic import pressed
from kitsu.protocol.control import Panic
from kitsu_launcher.show import NoSuchServiceError, Show

ACTIONS = ("start", "stop", "restart")


def app(show: Show, token: str, port: int) -> ASGIApp:
    """The ASGI application, guard included."""

    async def healthz(request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def status(request: Request) -> Response:
        return JSONResponse(show.status())

    async def act(request: Request) -> Response:
        action = request.path_params["action"]
        if action not in ACTIONS:
            return problem(404, "no_such_action", f"There is no action {action!r}. There are: {', '.join(ACTIONS)}.")
        return JSONResponse(await show.act(request.path_params["name"], action))

    async def panic(request: Request) -> Response:
        body = await request.body()
        order = msgspec.json.decode(body, type=Panic) if body else pressed("rest")
        return JSONResponse(show.panic(order), background=BackgroundTask(show.latch, order))

    async def stop(request: Request) -> Response:
        show.stopping.set()
        return JSONResponse({"stopping": True}, status_code=202)

    routes = [
        Route("/healthz", healthz),
        Route("/status", status),
        Route("/services/{name}/{action}", act, methods=["POST"]),
        Route("/panic", panic, methods=["POST"]),
        Route("/stop", stop, methods=["POST"]),
    ]
    inner = Starlette(
        routes=routes,
        exception_handlers={
            404: lambda request, error: problem(404, "not_found", "There is nothing at this path."),
            405: lambda request, error: problem(405, "bad_method", "This path wants another method."),
            NoSuchServiceError: lambda request, error: problem(404, "no_such_service", str(error.args[0])),
            BodyTooLargeError: lambda request, error: problem(
                413, "body_too_large", f"At most {MAX_BODY_BYTES} bytes, please."
            ),
            msgspec.DecodeError: lambda request, error: problem(400, "bad_body", f"Not a panic: {error}."),
        },
    )
    return Guard(inner, token=token, hosts=local_hosts(port), open_paths=frozenset({"/healthz"}))


def problem(status: int, code: str, message: str) -> JSONResponse:
    """The one error shape that all doors use."""
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: the launcher has its own."""

    def __init__(self, application: ASGIApp) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
