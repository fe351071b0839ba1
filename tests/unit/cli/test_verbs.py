import json
from pathlib import Path

import pytest

from kitsu_cli.exits import Exit
from kitsu_cli.screen import WIDTH
from tests.fakes.orchestrator_rest import LEVELS, STATUS, FakeRest
from tests.unit.cli.conftest import LAUNCHER, Kitsu, note


@pytest.mark.parametrize("verb", ["resume", "mute", "unmute", "live", "standby"])
def test_levels(kitsu: Kitsu, rest: FakeRest, verb: str) -> None:
    code, out, _ = kitsu(verb)
    assert (code, rest.asked[0].path) == (0, f"/control/{verb}")
    assert out.endswith(".\n")
    assert json.loads(kitsu(verb, "--json")[1]) == LEVELS


def test_skip(kitsu: Kitsu, rest: FakeRest) -> None:
    assert kitsu("skip")[1] == "Skipped.\n"
    kitsu("skip", "--conv", "page:1")
    assert [asked.body for asked in rest.asked] == [None, {"conv": "page:1"}]
    rest.answers["POST /control/skip"] = (200, {"skipped": False})
    assert "nothing to skip" in kitsu("skip")[1]


def test_open_prints_a_fresh_link(kitsu: Kitsu, rest: FakeRest) -> None:
    assert kitsu("open")[1] == "http://127.0.0.1:8100/#k=once\n"
    assert json.loads(kitsu("open", "--json")[1]) == {"url": "http://127.0.0.1:8100/#k=once"}
    assert rest.asked[0].body == {}
    rest.answers["POST /auth/link"] = (200, {})
    assert kitsu("open")[0] == Exit.REFUSED


def test_status_of_a_healthy_show(kitsu: Kitsu, rest: FakeRest, launcher: FakeRest) -> None:
    code, out, _ = kitsu("status")
    assert code == 0
    assert "✓ ok" in out
    assert "1 h 2 m" in out
    assert "standby" in out
    assert "nobody listens" in out
    assert max(len(line) for line in out.splitlines()) <= WIDTH
    report = json.loads(kitsu("status", "--json")[1])
    assert report["healthy"]
    assert report["launcher"]["services"][0]["name"] == "orchestrator"
    assert report["show"]["levels"] == LEVELS


def test_status_tells_what_is_worth_knowing_of_a_voice(kitsu: Kitsu, rest: FakeRest, launcher: FakeRest) -> None:
    note = "clone is an XTTS model. " + "Coqui Public Model License: for non-commercial use only. " * 3 + "\x1b[2J"
    role = {"role": "tts", "connected": True, "state": "ok", "capabilities": {"note": note}}
    rest.answers["GET /status"] = (200, STATUS | {"services": [role]})
    code, out, _ = kitsu("status")
    assert code == 0
    assert "tts: clone is an XTTS model." in out
    assert "non-commercial" in out
    assert max(map(len, out.splitlines())) <= WIDTH
    assert "\x1b" not in out


def test_status_fits_whatever_the_services_say(kitsu: Kitsu, rest: FakeRest, launcher: FakeRest) -> None:
    bad = dict(LAUNCHER["services"][0], name="x" * 200, state="failed", ready=False, reason="b\x1b[2J" * 99)
    launcher.answers["GET /status"] = (200, LAUNCHER | {"services": [bad]})
    panic = {"panic_id": "p", "pressed_at": 1, "by": "page"}
    confirmed = [{"exit": "voice", "state": "late", "detail": "d" * 300}]
    roles = [{"role": "tts", "connected": False, "state": "missing", "reason": "r" * 300}]
    rest.answers["GET /status"] = (
        200,
        STATUS | {"levels": LEVELS | {"panic": panic}, "confirmed": confirmed, "services": roles},
    )
    code, out, _ = kitsu("status")
    assert code == Exit.NO
    assert max(len(line) for line in out.splitlines()) <= WIDTH
    assert "\x1b" not in out
    assert "kitsu resume" in out
    assert "✗ voice no confirmation" in out


def test_status_without_the_orchestrator(kitsu: Kitsu, where: Path, rest: FakeRest, launcher: FakeRest) -> None:
    note(where, "http://127.0.0.1:9", launcher.url, "http://127.0.0.1:9")
    code, out, _ = kitsu("status")
    assert code == Exit.NO
    assert "Kitsu is silent" in out
    assert "orchestrator" in out


def test_status_without_the_launcher(kitsu: Kitsu, rest: FakeRest) -> None:
    code, out, _ = kitsu("status")
    assert code == Exit.NO
    assert "the launcher does not answer" in out
    assert "standby" in out


def test_status_of_nothing(kitsu: Kitsu, where: Path) -> None:
    code, out, _ = kitsu("status")
    assert (code, "kitsu start" in out) == (Exit.NOT_RUNNING, True)
    assert json.loads(kitsu("status", "--json")[1])["running"] is False
    (where / "secrets" / "token").unlink()
    assert json.loads(kitsu("status", "--json")[1])["running"] is False


def test_stop_of_nothing_is_fine(kitsu: Kitsu, where: Path) -> None:
    assert kitsu("stop")[:2] == (0, "Kitsu does not run.\n")


def test_stop_of_one_service(kitsu: Kitsu, launcher: FakeRest) -> None:
    launcher.answers["POST /services/tts/stop"] = (200, {})
    assert kitsu("stop", "tts")[0] == 0
    assert launcher.asked[-1].path == "/services/tts/stop"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["dance"],
        ["chat"],
        ["chat", "a", "b"],
        ["chat", "hi", "--role", "king"],
        ["chat", "hi", "--timeout", "-1"],
        ["chat", "hi", "--timeout", "nan"],
        ["logs", "-n", "-3"],
        ["logs", "nope"],
        ["status", "--yaml"],
    ],
)
def test_wrong_command_lines(kitsu: Kitsu, where: Path, argv: list[str]) -> None:
    code, out, err = kitsu(*argv)
    assert (code, out) == (Exit.USAGE, "")
    assert err


def test_a_wrong_setting_names_itself(kitsu: Kitsu, where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU__NETWORK__LAUNCHER_PORT", "123456")
    (where / "data" / "launcher.json").unlink()
    code, _, err = kitsu("status")
    assert code == Exit.SETTINGS
    assert "KITSU__NETWORK__LAUNCHER_PORT" in err
    assert kitsu("start")[0] == Exit.SETTINGS


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"urls": 5}', '{"urls": {}}', '{"urls": {"orchestrator": "file:///"}}']
)
def test_a_broken_running_file_means_the_settings_count(kitsu: Kitsu, where: Path, text: str) -> None:
    (where / "data" / "launcher.json").write_text(text)
    assert kitsu("mute")[0] in (Exit.NOT_RUNNING, Exit.REFUSED)


def test_version(kitsu: Kitsu) -> None:
    assert kitsu("--version")[1].startswith("kitsu ")
