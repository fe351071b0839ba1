"""The doctor asks other programs: there, missing, silent, and talking nonsense."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection, serve

from kitsu.config import read
from kitsu_cli.doctor import neighbours, wire
from tests.fakes.scripted_http import ScriptedHttp, black_hole, scripted_http


@pytest.fixture
def ollama(where: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedHttp]:
    with scripted_http() as fake:
        monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", fake.url)
        fake.answers["GET /api/version"] = (200, b'{"version": "0.99.1"}')
        has(fake, "llama3.1:8b", "other:latest")
        read.cache_clear()
        yield fake


def has(fake: ScriptedHttp, *names: str) -> None:
    fake.answers["GET /api/tags"] = (200, json.dumps({"models": [{"name": name} for name in names]}).encode())


def needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU__POLICY__ENGINE", "ollama")
    read.cache_clear()


def test_ollama_with_its_models(ollama: ScriptedHttp) -> None:
    (row,) = neighbours.ollama()
    assert row.state == "ok"
    assert row.found == "0.99.1, llama3.1:8b, other:latest"


@pytest.mark.parametrize("names", [(), ("other",)])
def test_ollama_without_our_model(
    ollama: ScriptedHttp, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    has(ollama, *names)
    assert neighbours.ollama()[0].state == "off"
    needed(monkeypatch)
    (row,) = neighbours.ollama()
    assert (row.state, row.do) == ("broken", "kitsu download model llama3.1:8b")


@pytest.mark.parametrize(
    "answer",
    [(500, b"{}"), (200, b"<html>"), (200, b"[]"), (200, b"{}"), (200, b'{"models": 5}'), (200, b"[" * 99_999)],
)
def test_what_is_not_ollama(ollama: ScriptedHttp, answer: tuple[int, bytes]) -> None:
    ollama.answers["GET /api/tags"] = answer
    assert neighbours.ollama()[0].state == "broken"


def test_no_ollama(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", "http://127.0.0.1:9")
    read.cache_clear()
    assert neighbours.ollama()[0].state == "off"
    needed(monkeypatch)
    assert (neighbours.ollama()[0].state, neighbours.ollama()[0].do) == ("broken", "start Ollama")


@pytest.mark.parametrize("url", ["", "nonsense", "http://", "http://127.0.0.1:99999", "http://[::1", "http://\u2028/"])
def test_addresses_that_are_none(where: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", url)
    read.cache_clear()
    assert neighbours.ollama()[0].state in ("off", "broken")


# OBS and VTube Studio


@contextmanager
def speaking(hello: str | None, answer: str | None = None) -> Iterator[int]:
    """A websocket server that says `hello`, and `answer` to the first message."""

    def handle(link: ServerConnection) -> None:
        if hello is not None:
            link.send(hello)
        if answer is not None:
            link.recv()
            link.send(answer)

    with serve(handle, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
        thread.join()


def obs_at(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    monkeypatch.setenv("KITSU__OBS__PORT", str(port))
    read.cache_clear()


HELLO = {"op": 0, "d": {"obsWebSocketVersion": "5.5.2", "rpcVersion": 1}}


@pytest.mark.parametrize(
    ("hello", "state", "words"),
    [
        (json.dumps(HELLO), "off", "5.5.2, without a password"),
        (json.dumps({"d": HELLO["d"] | {"authentication": {"salt": "s"}}}), "off", "with a password"),
        ("{}", "broken", "is not OBS"),
        ("[]", "broken", "is not OBS"),
        ("nonsense", "broken", "not JSON"),
        (None, "broken", "does not speak websocket"),
    ],
)
def test_obs(where: Path, monkeypatch: pytest.MonkeyPatch, hello: str | None, state: str, words: str) -> None:
    with speaking(hello) as port:
        obs_at(monkeypatch, port)
        (row,) = neighbours.obs()
    assert row.state == state
    assert words in row.found


@pytest.mark.parametrize(("answer", "state"), [('{"op": 2}', "ok"), ("{}", "broken"), ("nonsense", "broken")])
def test_obs_and_our_password(where: Path, monkeypatch: pytest.MonkeyPatch, answer: str, state: str) -> None:
    locked = {"op": 0, "d": HELLO["d"] | {"authentication": {"salt": "s", "challenge": "c"}}}
    with speaking(json.dumps(locked), answer) as port:
        monkeypatch.setenv("KITSU__OBS__PASSWORD", "secret")
        obs_at(monkeypatch, port)
        (row,) = neighbours.obs()
    assert row.state == state
    assert "secret" not in row.found + row.do


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ('{"data": {"active": true, "vTubeStudioVersion": "1.30.2"}}', "off"),
        ('{"data": {"active": false, "vTubeStudioVersion": "1.30.2"}}', "off"),
        ('{"data": {}}', "broken"),
        ("5", "broken"),
    ],
)
def test_vtube_studio(where: Path, monkeypatch: pytest.MonkeyPatch, answer: str, state: str) -> None:
    with speaking(None, answer) as port:
        vts(monkeypatch, port)
        assert neighbours.vtube_studio()[0].state == state


@pytest.mark.parametrize(("active", "state"), [("true", "ok"), ("false", "broken")])
def test_vtube_studio_that_is_wanted(where: Path, monkeypatch: pytest.MonkeyPatch, active: str, state: str) -> None:
    with speaking(None, f'{{"data": {{"active": {active}, "vTubeStudioVersion": "1.30.2"}}}}') as port:
        vts(monkeypatch, port, enabled="true")
        assert neighbours.vtube_studio()[0].state == state
    (row,) = neighbours.vtube_studio()
    assert (row.state, "Start API" in row.do) == ("broken", True)


def vts(monkeypatch: pytest.MonkeyPatch, port: int, enabled: str = "false") -> None:
    monkeypatch.setenv("KITSU__VTS__PORT", str(port))
    monkeypatch.setenv("KITSU__VTS__ENABLED", enabled)
    read.cache_clear()


def test_nobody_at_their_ports(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    obs_at(monkeypatch, 9)
    vts(monkeypatch, 9)
    rows = [*neighbours.obs(), *neighbours.vtube_studio(), *neighbours.twitch()]
    assert [row.state for row in rows] == ["off"] * 3
    assert "kitsu login twitch" in rows[2].do


@pytest.mark.parametrize(
    ("settings", "logged_in", "state", "found"),
    [
        ({}, True, "ok", "logged in"),
        ({"CHANNEL": "streamer"}, False, "ok", "without a login"),
        ({"CHANNEL": "streamer", "MODE": "login"}, False, "broken", "no login"),
        ({"MODE": "anonymous"}, True, "off", "no channel"),
        ({"MODE": "off", "CHANNEL": "streamer"}, True, "off", "switched off"),
    ],
)
def test_twitch(
    where: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], logged_in: bool, state: str, found: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"KITSU__TWITCH__{name}", value)
    read.cache_clear()
    if logged_in:
        (where / "secrets").mkdir(exist_ok=True)
        (where / "secrets" / "twitch.json").write_text("{}", encoding="utf-8")
    (row,) = neighbours.twitch()
    assert row.state == state
    assert found in row.found


def test_black_holes(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "TIMEOUT_S", 0.1)
    with black_hole() as port:
        obs_at(monkeypatch, port)
        vts(monkeypatch, port)
        monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", f"http://127.0.0.1:{port}")
        read.cache_clear()
        for check in (neighbours.obs, neighbours.vtube_studio, neighbours.ollama):
            (row,) = check()
            assert (row.state, "says nothing" in row.found) == ("broken", True), row
