"""`kitsu safety test`: the gate on rows with a known right answer, with the operator's own words, nothing running."""

import json
from pathlib import Path

import pytest

from kitsu.config import read
from kitsu_cli.exits import Exit
from kitsu_cli.screen import WIDTH
from tests.fakes import profanity_check
from tests.fakes.profanity_check import HARSH
from tests.unit.cli.conftest import Kitsu

ROWS = [
    ("good", "input", "hello there", "allow", "everyday", "plain"),
    ("bad", "output", "what the f u c k", "block", "profanity", "spaced"),
    ("missed", "input", "hello again", "block", "profanity", "plain"),
    ("own", "input", "you z.o.r.b.l.y", "block", "own", "separators"),
    ("wrong\x1b[2J", "output", "a fucking fine day", "allow", "everyday", "plain"),
    ("name", "input", "Fuck_Fox", "block", "profanity", "username"),
]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    names = ("id", "stage", "text", "expect", "category", "technique")
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in ROWS))
    return path


def test_rows_are_scored(kitsu: Kitsu, where: Path, rows: Path) -> None:
    assert kitsu("safety", "block", "zorbly")[0] == 0
    code, out, _ = kitsu("safety", "test", str(rows))
    assert code == 0
    assert "misses: 1  missed" in out
    assert "false alarms: 1" in out
    assert "2 of 3" in out  # profanity
    assert "6 rows" in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= WIDTH


def test_as_json(kitsu: Kitsu, where: Path, rows: Path) -> None:
    code, out, _ = kitsu("safety", "test", str(rows), "--json")
    figures = json.loads(out)
    assert code == 0
    assert (figures["rows"], figures["misses"], figures["false_alarms"]) == (6, ["missed", "own"], ["wrong\x1b[2J"])
    assert figures["techniques"]["username (block)"] == [1, 0]
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]


@pytest.mark.parametrize("content", [None, b"{", b"\xff", b"[]", b"null"])
def test_what_is_no_corpus_is_told(kitsu: Kitsu, where: Path, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "rows.jsonl"
    if content is not None:
        path.write_bytes(content)
    code, _, err = kitsu("safety", "test", str(path))
    assert code not in (Exit.OK, Exit.USAGE)
    assert "rows.jsonl" in err
    assert "Traceback" not in err


def test_with_the_vote_where_it_is_on(
    kitsu: Kitsu, where: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = tmp_path / "vote.jsonl"
    texts = {"alone": HARSH, "mild": "well damn", "both": f"well damn {HARSH}"}
    rows.write_text(
        "\n".join(
            json.dumps({"id": name, "stage": "input", "text": text, "expect": "block", "category": "x"})
            for name, text in texts.items()
        )
    )
    assert json.loads(kitsu("safety", "test", str(rows), "--json")[1])["misses"] == ["alone", "mild", "both"]
    monkeypatch.setenv("KITSU__SAFETY__VOTE", "true")
    read.cache_clear()
    profanity_check.install(monkeypatch)
    assert json.loads(kitsu("safety", "test", str(rows), "--json")[1])["misses"] == ["alone", "mild"]
    profanity_check.uninstall(monkeypatch)
    code, _, err = kitsu("safety", "test", str(rows))
    assert (code == Exit.OK, "pip install kitsu[vote]" in " ".join(err.split())) == (False, True)
