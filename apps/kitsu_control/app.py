"""The door's ASGI application."""

from dataclasses import dataclass
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from kitsu.config import NetworkSettings
from kitsu_control.answers import RequestError, problem, refused
from kitsu_control.config import ControlSettings
from kitsu_control.guard import Guard, allowed_hosts
from kitsu_control.locks import Locks
from kitsu_control.mics import Mics, MicSockets
from kitsu_control.overlay_key import OverlayKey
from kitsu_control.pages import Pages
from kitsu_control.places import Places
from kitsu_control.pressing import PanicButton
from kitsu_control.proxy import Proxy
from kitsu_control.relay import Relay
from kitsu_control.session import Sessions, SignInLinks
from kitsu_control.signing import Signing
from kitsu_control.sockets import SinkSockets
from kitsu_control.stream import StreamProxy


@dataclass(frozen=True, slots=True)
class Door:
    """Everything that is behind one address."""

    app: ASGIApp
    button: PanicButton


def build_door(
    settings: ControlSettings,
    network: NetworkSettings,
    token: str,
    overlay_key: OverlayKey,
    relay: Relay,
    mics: Mics,
    client: httpx.AsyncClient,
    build: Path,
) -> Door:
    """Put the parts together.

    Raises:
        ConfigError: `not_loopback`.
    """
    hosts = allowed_hosts(network.host, network.control_port)
    link_s = settings.link_minutes * 60
    sessions = Sessions(token, settings.session_days * 86_400)
    locks = Locks(token, SignInLinks(link_s), sessions, overlay_key, network.control_port)
    places = Places(settings.max_browsers)
    pages = Pages(build)
    orders = {
        "orchestrator": f"{network.orchestrator_url}/control/panic",
        "launcher": f"{network.launcher_url}/panic",
    }
    button = PanicButton(client, relay, locks, orders, token)
    stream_url = f"{network.orchestrator_url.replace('http', 'ws', 1)}/stream"

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "pages_built": pages.built, "browsers": places.used})

    routes = [
        Route("/healthz", healthz),
        *Signing(locks, network.control_url, link_s, relay.revoke_overlays).routes(),
        *button.routes(),
        *SinkSockets(relay, locks, places).routes(),
        *MicSockets(mics, locks, places).routes(),
        *StreamProxy(stream_url, token, locks, places).routes(),
        *Proxy(client, network.orchestrator_url, token, locks).routes(),
        *pages.routes(),
    ]
    app = Starlette(routes=routes, exception_handlers={RequestError: refused, HTTPException: _http_problem})
    return Door(Guard(app, hosts), button)


async def _http_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    words = {404: ("not_found", "There is nothing at this address."), 405: ("bad_method", "Not with this method.")}
    code, message = words.get(error.status_code, ("bad_request", str(error.detail)))
    return problem(error.status_code, code, message)
