"""`kitsu why` and `kitsu safety`: against the door's shapes, and with nothing running."""

import json
from pathlib import Path
from typing import Any

import pytest

from kitsu.safety.own import OwnList, read_own
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.own_words import change
from kitsu_cli.screen import WIDTH
from tests.fakes.orchestrator_rest import STATUS, FakeRest
from tests.unit.cli.conftest import Kitsu

WORDS: dict[str, Any] = {
    "blocked": [{"term": "zorbly", "category": "blocked"}],
    "now_only": [],
    "allowed": ["captain z"],
}
WHY: dict[str, Any] = {
    "turn_id": "t1",
    "outcome": "fallback",
    "reason": "output_gate",
    "verdicts": [
        {"surface": "question", "action": "allow", "ms": 0.31, "because": "The line was let through.", "text": "hi"},
        {
            "surface": "speech",
            "action": "replace",
            "ms": 0.4,
            "because": "This was not said; one of her own lines took its place (blocked, rule blocked/term-1). " * 3,
            "text": "You zorbly\x1b[2J " + "very " * 60,
            "found": "zorbly",
            "view": "skeleton",
        },
    ],
}
HELD = [{"turn_id": "t2", "author": "Ann\x1b[31m", "category": "odd", "text": "a line " * 40, "expires_in_s": 100.0}]


def own(where: Path) -> OwnList:
    return read_own(where / "data" / "safety.yaml")


def test_why(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["GET /turns/t1/why"] = (200, WHY)
    code, out, _ = kitsu("why", "t1")
    assert code == 0
    assert "turn t1: fallback, output_gate" in out
    assert "✓ line" in out
    assert "✗ speech" in out
    assert "found: zorbly (view skeleton)" in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= WIDTH
    assert json.loads(kitsu("why", "t1", "--json")[1]) == WHY


def test_why_of_nothing(kitsu: Kitsu, rest: FakeRest) -> None:
    assert kitsu("why", "../x")[0] == Exit.REFUSED
    assert rest.asked[0].path == "/turns/..%2Fx/why"


def test_held_lines(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["GET /safety/held"] = (200, HELD)
    code, out, _ = kitsu("safety", "held")
    assert (code, "t2" in out, "\x1b" in out) == (0, True, False)
    assert max(map(len, out.splitlines())) <= WIDTH
    assert json.loads(kitsu("safety", "held", "--json")[1]) == {"held": HELD}
    rest.answers["GET /safety/held"] = (200, [])
    assert kitsu("safety", "held")[1] == "No line waits for you.\n"


@pytest.mark.parametrize(("verb", "answer"), [("allow-once", "allow_once"), ("deny", "deny")])
def test_answering_a_held_line(kitsu: Kitsu, rest: FakeRest, verb: str, answer: str) -> None:
    rest.answers["POST /safety/held/t2"] = (200, {"turn_id": "t3", "answer": answer})
    assert kitsu("safety", verb, "t2")[0] == 0
    assert rest.asked[-1].body == {"answer": answer}
    assert kitsu("safety", verb, "gone")[0] == Exit.REFUSED


def test_words_go_to_the_running_show(kitsu: Kitsu, where: Path, rest: FakeRest) -> None:
    for verb in ("block", "unblock", "allow"):
        rest.answers[f"POST /safety/{verb}"] = (200, WORDS)
    rest.answers["GET /safety/words"] = (200, WORDS)
    kitsu("safety", "block", "zorbly", "--category", "hate", "--now-only")
    kitsu("safety", "unblock", "zorbly")
    kitsu("safety", "allow", "captain z", "--remove")
    assert [asked.body for asked in rest.asked] == [
        {"term": "zorbly", "category": "hate", "now_only": True},
        {"term": "zorbly"},
        {"phrase": "captain z", "remove": True},
    ]
    assert json.loads(kitsu("safety", "list", "--json")[1]) == {**WORDS, "live": True}
    assert "captain z" in kitsu("safety", "list")[1]
    assert own(where) == OwnList()


def test_words_are_kept_while_nothing_runs(kitsu: Kitsu, where: Path) -> None:
    code, out, _ = kitsu("safety", "block", "zorbly")
    assert code == 0
    assert "from the next start on" in out
    kitsu("safety", "block", "flumpen", "--category", "hate")
    kitsu("safety", "allow", "captain zorbly")
    assert [known.term for known in own(where).blocked] == ["zorbly", "flumpen"]
    listed = json.loads(kitsu("safety", "list", "--json")[1])
    assert (listed["live"], listed["allowed"]) == (False, ["captain zorbly"])
    assert kitsu("safety", "unblock", "zorbly")[0] == 0
    assert kitsu("safety", "unblock", "zorbly")[0] == Exit.REFUSED
    assert kitsu("safety", "allow", "captain zorbly", "--remove")[0] == 0
    assert own(where).allowed == ()
    assert not list((where / "data").glob("*.lock"))


@pytest.mark.parametrize("term", ["ab", "!!!", "x" * 200])
def test_words_that_cannot_be_blocked(kitsu: Kitsu, where: Path, term: str) -> None:
    assert kitsu("safety", "block", term)[0] == Exit.REFUSED
    assert own(where) == OwnList()


def test_a_wrong_category_is_refused_also_while_nothing_runs(kitsu: Kitsu, where: Path) -> None:
    code, _, err = kitsu("safety", "block", "zorbly", "--category", "haet")
    assert code == Exit.REFUSED
    assert "no category 'haet'. Allowed: blocked, dangerous" in " ".join(err.split())
    with pytest.raises(VerbError) as caught:
        change("block", {"term": "zorbly", "category": "haet"})
    assert caught.value.code == "no_such_category"
    assert not (where / "data" / "safety.yaml").exists()


def test_broken_rules_name_no_category(
    kitsu: Kitsu, where: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = tmp_path / "elsewhere" / "safety"
    rules.mkdir(parents=True)
    (rules / "categories.yaml").write_text("categories: {hate: half")
    monkeypatch.setenv("KITSU_CONFIGS", str(rules.parent))
    code, _, err = kitsu("safety", "block", "zorbly", "--category", "hate")
    assert (code, "categories.yaml, line 1" in " ".join(err.split())) == (Exit.REFUSED, True)
    assert own(where) == OwnList()
    assert kitsu("safety", "block", "zorbly")[0] == 0, "the usual category needs no rules"


def test_what_is_for_now_only_needs_a_show(kitsu: Kitsu, where: Path) -> None:
    assert kitsu("safety", "block", "zorbly", "--now-only")[0] == Exit.NOT_RUNNING
    assert own(where) == OwnList()


def test_a_broken_file_is_named_and_not_overwritten(kitsu: Kitsu, where: Path) -> None:
    path = where / "data" / "safety.yaml"
    path.write_text("blocked: [half")
    code, _, err = kitsu("safety", "block", "zorbly")
    assert code == Exit.REFUSED
    assert "safety.yaml, line 1" in err
    assert path.read_text() == "blocked: [half"


@pytest.mark.parametrize(
    "argv", [["why"], ["safety"], ["safety", "dance"], ["safety", "block"], ["safety", "allow-once"]]
)
def test_wrong_command_lines(kitsu: Kitsu, where: Path, argv: list[str]) -> None:
    assert kitsu(*argv)[0] == Exit.USAGE


def test_status_tells_what_the_gate_wants(kitsu: Kitsu, rest: FakeRest, launcher: FakeRest) -> None:
    safety = {
        "state": "degraded",
        "reason": "patterns.yaml, line 5: " + "no " * 60,
        "held": {"waiting": 2},
        "guard": {"model": "llama-guard3:1b", "trouble": "late"},
    }
    rest.answers["GET /status"] = (200, STATUS | {"safety": safety})
    out = kitsu("status")[1]
    assert "! patterns.yaml, line 5" in out
    assert "llama-guard3:1b gives no opinion (late)" in out
    assert "2 held for your word" in out
    assert max(map(len, out.splitlines())) <= WIDTH
    rest.answers["GET /status"] = (200, STATUS)
    assert not any(line.startswith("gate") for line in kitsu("status")[1].splitlines())
