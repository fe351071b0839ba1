"""`kitsu vts` and `kitsu topics` against a scripted door."""

import json
from typing import Any

import pytest

from kitsu_cli.exits import Exit
from tests.fakes.orchestrator_rest import FakeRest
from tests.unit.cli.conftest import Kitsu

STATE: dict[str, Any] = {
    "link": "connected",
    "reason": "",
    "version": "1.31.6",
    "model": "Fox",
    "wearing": "smile",
    "words": {"smile": "expression smile", "wave": "hotkey \x1b[2JWave"},
    "missing": ["shake"],
}


def test_status_shows_what_the_model_can_do(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["GET /vts"] = (200, STATE)
    code, out, _ = kitsu("vts", "status")
    assert code == Exit.OK
    for words in ("VTube Studio 1.31.6: connected", "model Fox, face smile", "hotkey", "nothing found for: shake"):
        assert words in out
    assert "\x1b" not in out
    assert json.loads(kitsu("vts", "status", "--json")[1]) == STATE


@pytest.mark.parametrize(
    ("link", "code"), [("off", Exit.OK), ("asking", Exit.NO), ("denied", Exit.NO), ("unreachable", Exit.NO)]
)
def test_status_says_what_to_do(kitsu: Kitsu, rest: FakeRest, link: str, code: Exit) -> None:
    nothing = {"model": "", "wearing": "", "words": {}, "missing": [], "version": ""}
    rest.answers["GET /vts"] = (200, {**STATE, **nothing, "link": link, "reason": "click Allow there"})
    found, out, _ = kitsu("vts", "status")
    assert (found, "click Allow there" in out) == (code, True)


def test_a_face_is_confirmed_or_refused(kitsu: Kitsu, rest: FakeRest) -> None:
    done = {"word": "smile", "confirmed_by": "expression state", "latency_ms": 12.3}
    rest.answers["POST /vts/expr"] = (200, done)
    code, out, _ = kitsu("vts", "expr", "smile")
    assert (code, "expression state" in out, rest.asked[-1].body) == (Exit.OK, True, {"word": "smile"})
    rest.answers["POST /vts/expr"] = (404, {"error": {"code": "no_such_word", "message": "There are: neutral."}})
    code, _, err = kitsu("vts", "expr", "moo")
    assert (code, "There are: neutral." in err) == (Exit.REFUSED, True)
    assert kitsu("vts", "expr")[0] == Exit.USAGE
    assert kitsu("vts", "dance")[0] == Exit.USAGE


def test_reset(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["POST /vts/reset"] = (200, {**STATE, "latency_ms": 3.0})
    assert "Connected again, with Fox" in kitsu("vts", "reset")[1]


def test_topics(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["POST /control/topics"] = (200, {"topics": False})
    code, out, _ = kitsu("topics", "off")
    assert (code, "stays quiet" in out, rest.asked[-1].body) == (Exit.OK, True, {"on": False})
    rest.answers["POST /control/topics"] = (200, {"topics": True})
    assert "begins something" in kitsu("topics", "on")[1]
    assert kitsu("topics", "maybe")[0] == Exit.USAGE
