import json
import time
from pathlib import Path

from kitsu_cli.exits import Exit
from tests.fakes.orchestrator_rest import EXITS, FakeRest
from tests.unit.cli.conftest import Kitsu


def test_both_paths_get_the_same_panic(kitsu: Kitsu, rest: FakeRest, launcher: FakeRest) -> None:
    code, out, _ = kitsu("panic", "--json")
    report = json.loads(out)
    assert code == 0
    assert rest.asked[0].path == "/control/panic"
    assert launcher.asked[0].path == "/panic"
    assert rest.asked[0].body == launcher.asked[0].body
    assert rest.asked[0].body["panic_id"] == report["panic_id"]
    assert rest.asked[0].body["by"] == "cli"
    assert report["playout_ordered"]
    assert report["exits"] == EXITS


def test_a_frozen_orchestrator_does_not_hold_it_up(kitsu: Kitsu, rest: FakeRest, launcher: FakeRest) -> None:
    rest.frozen.set()
    began = time.perf_counter()
    code, out, _ = kitsu("panic")
    assert time.perf_counter() - began < 0.2
    assert code == 0
    assert "orchestrator: no answer yet" in out


def test_without_a_launcher_the_hub_is_enough(kitsu: Kitsu, rest: FakeRest) -> None:
    code, out, _ = kitsu("panic")
    assert code == 0
    assert "✓ playout" in out


def test_an_exit_that_does_not_confirm_is_not_called_silent(kitsu: Kitsu, rest: FakeRest) -> None:
    late = [{"exit": "voice", "state": "late", "latency_ms": 1000.0, "detail": ""}]
    rest.answers["POST /control/panic"] = (200, {"panic_id": "x", "exits": late})
    code, out, _ = kitsu("panic")
    assert code == Exit.NO
    assert "✗ voice  no confirmation" in out
    assert "not confirmed" in out


def test_nothing_runs(kitsu: Kitsu, where: Path) -> None:
    code, out, _ = kitsu("panic")
    assert code == Exit.NOT_RUNNING
    assert "nothing to silence" in out


def test_a_refusal_is_not_silence(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.token = "other"
    code, out, _ = kitsu("panic")
    assert code == Exit.TIMEOUT
    assert "not confirmed" in out


def test_a_loose_token_file_does_not_stop_it(kitsu: Kitsu, rest: FakeRest, where: Path) -> None:
    (where / "secrets" / "token").chmod(0o644)
    assert kitsu("panic")[0] == 0
