"""Every check of `kitsu doctor`, with what it looks for there, missing, hanging and talking nonsense."""

import json
import sys
import threading
import time
from pathlib import Path

import pytest

from kitsu.config import read
from kitsu_cli.doctor import Finding, installation, looking, show, voices
from kitsu_cli.exits import Exit
from kitsu_cli.screen import WIDTH
from tests.fakes.orchestrator_rest import FakeRest
from tests.fakes.scripted_http import black_hole
from tests.unit.cli.conftest import LAUNCHER, Kitsu


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


def test_the_vote_is_looked_at_where_it_is_asked_for(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert installation.vote() == []
    monkeypatch.setenv("KITSU__SAFETY__VOTE", "true")
    read.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (row,) = installation.vote()
    assert (row.state, "pip install kitsu[vote]" in row.do) == ("broken", True)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert [row.state for row in installation.vote()] == ["ok"]


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
    assert (voices.coqui().state, voices.coqui().do) == ("off", "kitsu download list coqui")
    coqui_model(where, "hum", '{"model": "vits"}')
    assert (voices.coqui().state, voices.coqui().found) == ("ok", "hum")


def coqui_model(where: Path, name: str, config: str) -> None:
    folder = where / "engines" / "coqui" / "models" / name
    folder.mkdir(parents=True)
    (folder / "model.pth").touch()
    (folder / "config.json").write_text(config)


def test_xtts_is_told_with_its_licence(where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert voices.xtts() == []
    coqui_model(where, "clone", '{"model": "xtts"}')
    (row,) = voices.xtts()
    assert (row.state, "CPML" in row.found, "--accept-cpml" in row.do) == ("off", True, True)
    assert "voice xtts" in [one.check for one in voices.all_voices()]
    for name, value, state in (("VOICE", "clone:ann", "broken"), ("ACCEPT_CPML", "true", "ok")):
        monkeypatch.setenv(f"KITSU__TTS__{name}", value)
        read.cache_clear()
        (row,) = voices.xtts()
        assert (row.state, "CPML" in row.found) == (state, True)


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
