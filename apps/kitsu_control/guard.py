"""What every request must pass before anything looks at it: Host, Origin; and the headers of every answer.

A page that the streamer visits can make the browser send requests here. It cannot fake `Host` (so DNS rebinding
ends at the first check) and cannot leave out or fake `Origin` on the requests that change something.
"""

from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kitsu.errors import ConfigError
from kitsu_control.answers import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
DEFAULTS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
"""For answers that do not say otherwise themselves."""


def allowed_hosts(host: str, port: int) -> frozenset[str]:
    """Values of `Host` that mean this door.

    Raises:
        ConfigError: `not_loopback`, because nothing here is fit for a network yet.
    """
    if host != "localhost" and not _is_loopback(host):
        raise ConfigError(
            "not_loopback",
            f"network.host = {host!r}: the control page listens on this machine only. "
            "Allowed: 127.0.0.1, ::1, localhost.",
        )
    names = {"127.0.0.1", "localhost", "[::1]", f"[{host}]" if ":" in host else host}
    return frozenset(f"{name}:{port}" for name in names)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Guard:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = frozenset(f"http://{host}" for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def dressed(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                for name, value in DEFAULTS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(scope)
        if refusal:
            await problem(403, *refusal)(scope, receive, dressed)
        else:
            await self._app(scope, receive, dressed)

    def _refusal(self, scope: Scope) -> tuple[str, str] | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return "bad_host", "This door answers only under its own address."
        changes = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        origins = headers.getlist("origin")
        if changes and (len(origins) > 1 or any(origin not in self._origins for origin in origins)):
            return "bad_origin", "Another site tried to use this door."
        return None
