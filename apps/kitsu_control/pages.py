"""The built site in web/build."""

import re
from html import unescape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from kitsu_control.answers import problem

_POLICY = re.compile(r'<meta http-equiv="content-security-policy" content="([^"]+)"', re.IGNORECASE)
NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Kitsu</title>
<h1>The pages are not built yet</h1>
<p>Kitsu herself runs. To build the pages: <code>./scripts/run_all.sh start</code>
(Windows: <code>scripts\\run_all.ps1 start</code>), then load this page again.</p>"""


class _Assets(StaticFiles):
    """Scripts, styles, fonts. Those whose name holds their hash may be kept for ever."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        kept = path.replace("\\", "/").startswith("immutable/") and response.status_code in (200, 206, 304)
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response


class Pages:
    """`/`, `/overlay`, `/ears` and their files."""

    def __init__(self, build: Path) -> None:
        self._build = build

    @property
    def built(self) -> bool:
        """Whether there is anything to serve."""
        return (self._build / "index.html").is_file()

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self.page),
            Route("/overlay", self.page),
            Route("/ears", self.page),
            Mount("/_app", _Assets(directory=self._build / "_app", check_dir=False)),
            Route("/{name}", self.file),
        ]

    async def page(self, request: Request) -> Response:
        """A page, with the policy that its build asks for as a header, and no frames around it."""
        text = _read(self._build / f"{request.url.path.strip('/') or 'index'}.html")
        if not text:
            if "text/html" in request.headers.get("accept", "text/html"):
                return HTMLResponse(NOT_BUILT, status_code=503)
            return problem(503, "pages_not_built", "The pages are not built. `scripts/run_all.sh start` builds them.")
        policy = _POLICY.search(text)
        asked = unescape(policy.group(1)) if policy else "default-src 'self'"
        headers = {"content-security-policy": f"{asked}; frame-ancestors 'none'", "cache-control": "no-cache"}
        return HTMLResponse(text, headers=headers)

    async def file(self, request: Request) -> Response:
        """A file beside the pages (icons)."""
        file = self._build / request.path_params["name"]
        if file.suffix in (".svg", ".png", ".ico", ".webmanifest") and file.is_file() and file.parent == self._build:
            return FileResponse(file, headers={"cache-control": "max-age=3600"})
        return problem(404, "not_found", "There is nothing at this address.")


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
