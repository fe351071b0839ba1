"""Every check of `kitsu doctor`, with what it looks for there, missing, hanging and talking nonsense."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from kitsu.config import read
from kitsu_cli import soundcard
from kitsu_cli.doctor import Finding, hardware, installation, looking, neighbours, show, voices, wire
from kitsu_cli.exits import Exit
from kitsu_cli.screen import WIDTH
from tests.fakes import sound_module
from tests.fakes.orchestrator_rest import FakeRest
from tests.fakes.scripted_http import ScriptedHttp, black_hole, scripted_http
from tests.unit.cli.conftest import LAUNCHER, Kitsu

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the program")


def test_it_looks_at_everything(kitsu: Kitsu, where: Path) -> None:
    code, out, _ = kitsu("doctor")
    rows = json.loads(kitsu("doctor", "--json")[1])
    assert set(rows) == {"ok", "checks"}
    assert all(set(row) == {"check", "state", "found", "do"} for row in rows["checks"])
    assert {row["state"] for row in rows["checks"]} <= {"ok", "off", "broken"}
    assert rows["ok"] is not any(row["state"] == "broken" for row in rows["checks"])
    assert (code == 0) is rows["ok"]
    for row in rows["checks"]:
        assert row["check"] in out
    names = {row["check"] for row in rows["checks"]}
    assert names >= {"python", "home", "disk", "settings", "token", "pages", "node", "services", "sound", "gpu"}
    assert names >= {"ffmpeg", "portaudio", "libsndfile", "voice espeak", "voice piper", "voice coqui"}
    assert names >= {"ollama", "obs", "vtube studio", "twitch", "port 9000", "port 9001", "port 8100"}
    assert max(map(len, out.splitlines())) <= WIDTH


def test_the_table_fits_whatever_was_found(kitsu: Kitsu, where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        Finding("x" * 50, "broken", "y" * 500 + "\x1b[2J", "z " * 200),
        Finding("a", "off", "", ""),
        Finding("b", "ok", "c " * 99),
    ]
    monkeypatch.setattr("kitsu_cli.verbs.doctor.findings", lambda: rows)
    code, out, _ = kitsu("doctor")
    assert code == Exit.NO
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "\x1b" not in out
    assert "Broken: " in out


def test_a_wrong_setting_is_named_and_the_rest_is_still_looked_at(
    kitsu: Kitsu, where: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KITSU__NETWORK__LAUNCHER_PORT", "x")
    read.cache_clear()
    code, out, _ = kitsu("doctor", "--json")
    rows = {row["check"]: row for row in json.loads(out)["checks"]}
    assert code == Exit.NO
    assert "KITSU__NETWORK__LAUNCHER_PORT" in rows["settings"]["found"]
    assert rows["port of control"]["state"] == "off"
    assert "itself failed" not in out


def test_an_open_token_file(kitsu: Kitsu, where: Path) -> None:
    if sys.platform != "win32":
        (where / "secrets" / "token").chmod(0o644)
        assert "chmod 600" in " ".join(row.found for row in installation.token())


def test_checks_that_hang_or_fail_are_findings() -> None:
    never = threading.Event()

    def fails() -> list[Finding]:
        raise ZeroDivisionError

    def hangs() -> list[Finding]:
        never.wait(20)
        return []

    began = time.monotonic()
    rows = looking.findings({"a": hangs, "b": fails, "c": lambda: [Finding("c", "ok", "well")], "d": hangs}, 0.2)
    assert time.monotonic() - began < 1
    never.set()
    assert [(row.check, row.state) for row in rows] == [("a", "broken"), ("b", "broken"), ("c", "ok"), ("d", "broken")]
    assert "no answer within 0.2 s" in rows[0].found
    assert "ZeroDivisionError" in rows[1].found


def test_little_room(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "MIN_FREE_MB", 1 << 40)
    (row,) = installation.disk()
    assert (row.state, row.do) == ("broken", f"make room: at least {1 << 40} MB")


# Ollama


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


HELLO = {"op": 0, "d": {"obsWebSocketVersion": "5.5.2", "rpcVersion": 1}}


@pytest.mark.parametrize(
    ("hello", "state", "words"),
    [
        (json.dumps(HELLO), "ok", "5.5.2, without a password"),
        (json.dumps({"d": HELLO["d"] | {"authentication": {"salt": "s"}}}), "ok", "with a password"),
        ("{}", "broken", "is not OBS"),
        ("[]", "broken", "is not OBS"),
        ("nonsense", "broken", "not JSON"),
        (None, "broken", "does not speak websocket"),
    ],
)
def test_obs(monkeypatch: pytest.MonkeyPatch, hello: str | None, state: str, words: str) -> None:
    with speaking(hello) as port:
        monkeypatch.setattr(neighbours, "OBS_PORT", port)
        (row,) = neighbours.obs()
    assert row.state == state
    assert words in row.found


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ('{"data": {"active": true, "vTubeStudioVersion": "1.30.2"}}', "ok"),
        ('{"data": {"active": false, "vTubeStudioVersion": "1.30.2"}}', "off"),
        ('{"data": {}}', "broken"),
        ("5", "broken"),
    ],
)
def test_vtube_studio(monkeypatch: pytest.MonkeyPatch, answer: str, state: str) -> None:
    with speaking(None, answer) as port:
        monkeypatch.setattr(neighbours, "VTS_PORT", port)
        assert neighbours.vtube_studio()[0].state == state


def test_nobody_at_their_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "OBS_PORT", 9)
    monkeypatch.setattr(neighbours, "VTS_PORT", 9)
    rows = [*neighbours.obs(), *neighbours.vtube_studio(), *neighbours.twitch()]
    assert [row.state for row in rows] == ["off"] * 3
    assert "later version" in rows[2].found


def test_black_holes(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "TIMEOUT_S", 0.1)
    with black_hole() as port:
        monkeypatch.setattr(neighbours, "OBS_PORT", port)
        monkeypatch.setattr(neighbours, "VTS_PORT", port)
        monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", f"http://127.0.0.1:{port}")
        read.cache_clear()
        for check in (neighbours.obs, neighbours.vtube_studio, neighbours.ollama):
            (row,) = check()
            assert (row.state, "says nothing" in row.found) == ("broken", True), row


# sound, graphics, libraries


@pytest.fixture
def sounddevice(where: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def install(source: str = sound_module.SOURCE) -> None:
        monkeypatch.setenv("PYTHONPATH", str(sound_module.install(where / "modules", source)))

    return install


def test_sound(sounddevice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sounddevice()
    assert [(row.state, row.found) for row in hardware.sound()] == [("ok", "3 to play on; Headphones")]
    for wanted, state in (
        ("Headphones", "ok"),
        ("2", "ok"),
        ("default", "ok"),
        ("Speakers", "broken"),
        ("0", "broken"),
    ):
        monkeypatch.setenv("KITSU__PLAYOUT__DEVICE", wanted)
        read.cache_clear()
        assert hardware.sound()[0].state == state, wanted


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (sound_module.NO_PORTAUDIO, "PortAudio is not installed"),
        (sound_module.NOT_INSTALLED, "package sounddevice"),
        (sound_module.CRASHES, "crashed"),
        (sound_module.HANGS, "did not answer"),
        (sound_module.SOURCE + "\ndef query_devices():\n    raise PortAudioError('broken')\n", "sound system failed"),
        (sound_module.SOURCE + "\ndef query_devices():\n    return []\n", "0 to play on"),
    ],
)
def test_no_sound(sounddevice: Any, monkeypatch: pytest.MonkeyPatch, source: str, words: str) -> None:
    monkeypatch.setattr(soundcard, "LIST_S", 0.5 if source == sound_module.HANGS else 10.0)
    sounddevice(source)
    (row,) = hardware.sound()
    assert (row.state, words in row.found) == ("off", True), row
    monkeypatch.setenv("KITSU__PLAYOUT__DEVICE", "Headphones")
    read.cache_clear()
    assert hardware.sound()[0].state == "broken"


@posix_only
@pytest.mark.parametrize(
    ("script", "state", "words"),
    [
        ("echo 'NVIDIA H100 80GB HBM3, 81559 MiB, 570.1'", "ok", "NVIDIA H100 80GB HBM3, 81559 MiB, driver 570.1"),
        ("echo odd", "ok", "odd, memory unknown"),
        ("echo 'NVIDIA-SMI has failed'; exit 9", "broken", "NVIDIA-SMI has failed"),
        ("exit 0", "broken", "nvidia-smi failed"),
        ("exec sleep 30", "off", "did not answer"),
    ],
)
def test_graphics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, state: str, words: str) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(hardware, "COMMAND_S", 0.3 if state == "off" else 10.0)
    (row,) = hardware.gpu()
    assert (row.state, words in row.found) == (state, True), row


def test_no_graphics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert hardware.gpu() == [Finding("gpu", "off", "none: the CPU does it")]


def test_libraries_are_optional(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware.ctypes.util, "find_library", lambda _: None)
    monkeypatch.setattr(hardware.sys, "platform", "linux")
    assert "broken" not in {row.state for row in hardware.libraries()}
    monkeypatch.setenv("KITSU__PLAYOUT__DEVICE", "1")
    read.cache_clear()
    assert {row.check for row in hardware.libraries() if row.state == "broken"} == {"portaudio"}
    monkeypatch.setattr(hardware.sys, "platform", "win32")
    assert "bundled" in hardware.libraries()[1].found


# voices


def test_piper_voices(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = where / "models" / "piper"
    folder.mkdir(parents=True)
    assert (voices.piper().state, "kitsu download voice" in voices.piper().do) == ("off", True)
    (folder / "a-b-low.onnx.part").write_bytes(b"half")
    assert voices.piper().do == "kitsu download voice a-b-low"
    (folder / "a-b-low.onnx").write_bytes(b"model")
    assert voices.piper().state == "broken"
    (folder / "a-b-low.onnx.json").write_bytes(b"{}")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert (voices.piper().state, voices.piper().found) == ("ok", "a-b-low")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "pip install kitsu[piper]" in voices.piper().do


def test_coqui(where: Path) -> None:
    assert voices.coqui().state == "off"
    (where / "engines" / "coqui").mkdir(parents=True)
    assert "not complete" in voices.coqui().found
    (where / "engines" / "coqui" / "installed").touch()
    assert voices.coqui().state == "ok"


def test_without_any_voice_espeak_is_what_is_missing(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert [row.state for row in voices.all_voices()] == ["broken", "off", "off"]
    monkeypatch.setenv("KITSU__TTS__ENGINE", "piper")
    read.cache_clear()
    assert [row.state for row in voices.all_voices()] == ["off", "broken", "off"]


# the show


def test_a_healthy_show(where: Path, launcher: FakeRest) -> None:
    assert [(row.state, row.found) for row in show.services()] == [("ok", "2 healthy")]
    bad = dict(LAUNCHER["services"][0], ready=False, state="failed")
    launcher.answers["GET /status"] = (200, LAUNCHER | {"services": [bad]})
    assert show.services()[0].found == "orchestrator is failed"
    launcher.answers["GET /status"] = (200, [])
    assert show.services()[0].state == "broken"


def test_ports(where: Path, rest: FakeRest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU__NETWORK__ORCHESTRATOR_PORT", rest.url.rpartition(":")[2])
    read.cache_clear()
    assert show.port_of("orchestrator")()[0].found == "orchestrator answers"
    with black_hole() as port:
        monkeypatch.setenv("KITSU__NETWORK__CONTROL_PORT", str(port))
        read.cache_clear()
        (row,) = show.port_of("control")()
    assert (row.state, "network.control_port" in row.do) == ("broken", True)
