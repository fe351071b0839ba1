"""The control door on a real socket: sign-in, who may ask, pages, and everything that tries to get past them."""

from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from kitsu.errors import ConfigError
from kitsu.worker import Process
from kitsu_control.worker import ControlWorker
from tests.fakes.door import FakeDoor, open_door
from tests.fakes.orchestrator import FakeOrchestrator

# signing in


async def test_link_session_cookie(door: FakeDoor) -> None:
    async with door.client() as client:
        assert (await client.get("/auth/session")).json() == {"signed_in": False}
        assert (await client.get("/api/v1/status")).status_code == 401
        link = (await client.post("/auth/link", headers=door.bearer)).json()
        assert link["url"].startswith(f"{door.url}/#k=")
        key = link["url"].partition("#k=")[2]
        answer = await client.post("/auth/session", json={"key": key})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert (await client.get("/auth/session")).json() == {"signed_in": True}
        assert (await client.get("/api/v1/status")).status_code == 200
        again = await client.post("/auth/session", json={"key": key})
        assert (again.status_code, again.json()["error"]["code"]) == (401, "bad_link")


async def test_signing_out(door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        await client.delete("/auth/session")
        assert (await client.get("/api/v1/status")).status_code == 401


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x", "Basic {}", "bearer {}x", "Bearer ü"])
async def test_links_are_for_the_tokens_holder(door: FakeDoor, token: str) -> None:
    async with door.client() as client:
        header = token.format(door.token).encode("latin-1")
        answer = await client.post("/auth/link", headers={b"authorization": header})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "bad_token")


async def test_a_session_cannot_make_links(door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        assert (await client.post("/auth/link")).status_code == 401


# who may ask at all


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1", "", "127.0.0.1.:{port}"]
)
async def test_other_hosts_are_refused(door: FakeDoor, host: str) -> None:
    async with door.client(host=host.format(port=door.port), **door.bearer) as client:
        for path in ("/", "/overlay", "/healthz", "/api/v1/status", "/auth/session"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_host"), path


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
async def test_our_own_hosts_are_fine(door: FakeDoor, host: str) -> None:
    async with door.client(host=host.format(port=door.port)) as client:
        assert (await client.get("/healthz")).json()["status"] == "ok"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1", "file://"]
)
async def test_other_origins_are_refused(door: FakeDoor, origin: str) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        for path in ("/api/v1/control/panic", "/api/v1/control/resume", "/api/v1/chat", "/auth/overlay-key/rotate"):
            answer = await client.post(path, headers={"origin": origin}, json={})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "bad_origin"), path
        for path in ("/overlay/ws", "/api/v1/stream", "/api/v1/sound"):
            with pytest.raises(InvalidStatus) as caught:
                async with door.socket(path, client, Origin=origin):
                    pass
            assert caught.value.response.status_code == 403


async def test_a_cookie_without_an_origin_is_not_enough(door: FakeDoor) -> None:
    async with door.client() as client:
        await door.sign_in(client)
        del client.headers["origin"]
        assert (await client.post("/api/v1/control/mute")).status_code == 401
        assert (await client.post("/api/v1/control/mute", headers=door.bearer)).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/stream", "/api/v1/sound"])
async def test_sockets_want_a_session(door: FakeDoor, path: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with door.socket(path):
            pass
    assert caught.value.response.status_code == 401


async def test_headers(door: FakeDoor) -> None:
    async with door.client() as client:
        answer = await client.get("/auth/session")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


# pages


async def test_pages_not_built(door: FakeDoor) -> None:
    async with door.client() as client:
        page = await client.get("/", headers={"accept": "text/html"})
        assert (page.status_code, "not built yet" in page.text) == (503, True)
        answer = await client.get("/overlay", headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "pages_not_built")


async def test_pages_bring_their_own_policy(
    orchestrator: FakeOrchestrator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = tmp_path / "site"
    (build / "_app" / "immutable").mkdir(parents=True)
    (build / "_app" / "immutable" / "x.js").write_text("1")
    (build / "secret.txt").write_text("no")
    (build / "icon.svg").write_text("<svg/>")
    meta = '<meta http-equiv="content-security-policy" content="script-src &#39;self&#39; &#39;sha256-x&#39;">'
    (build / "index.html").write_text(f"<html>{meta}</html>")
    async with open_door(orchestrator, tmp_path / "home", monkeypatch, build=build) as door, door.client() as client:
        page = await client.get("/")
        assert page.headers["content-security-policy"] == "script-src 'self' 'sha256-x'; frame-ancestors 'none'"
        assert "immutable" in (await client.get("/_app/immutable/x.js")).headers["cache-control"]
        assert (await client.get("/icon.svg")).headers["content-type"].startswith("image/svg")
        for path in (
            "/secret.txt",
            "/_app/../secret.txt",
            "/_app/%2e%2e/secret.txt",
            "/%2e%2e/secrets/token",
            "/index.html",
        ):
            assert (await client.get(path)).status_code == 404, path


async def test_a_taken_port_is_said_clearly(door: FakeDoor) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        await ControlWorker(Process("control")).run()
    error: BaseException = caught.value
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, ConfigError)
    assert (error.code, str(door.port) in error.message) == ("port_in_use", True)
