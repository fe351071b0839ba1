"""scripts/dry_run.py as a test: the chat of a stream, on a real OBS, a fake Twitch and a fake VTube Studio."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kitsu.home import CHECKOUT
from rehearsal.acts import forbidden
from rehearsal.playing import rehearse
from rehearsal.rows import Row, report, table, unexpected
from rehearsal.stage import stage
from tests.fakes.obs_studio import need_obs

ROLES = ("viewer", "sub", "vip", "mod", "broadcaster")
SEED = CHECKOUT / "configs" / "commands.yaml"


def commands() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(SEED.read_text(encoding="utf-8"))["commands"]
    return found


@pytest.mark.timeout(280)
def test_the_whole_script_as_it_is_run() -> None:
    need_obs()
    command = [sys.executable, str(CHECKOUT / "scripts" / "dry_run.py"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=270, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    rows = found["rows"]
    assert [row for row in rows if not row["expected"]] == []
    assert (done.returncode, found["unexpected"]) == (0, 0)
    done_by = {(row["command"], row["role"]) for row in rows if "refused" not in row["happened"]}
    tried = {(row["command"], row["role"]) for row in rows}
    for name, rule in commands().items():
        may = ROLES if "everyone" in rule["roles"] else rule["roles"]
        assert {(name, role) for role in may} <= done_by, f"!{name}: somebody who may use it never did"
        assert {(name, role) for role in ROLES} <= tried, f"!{name}: somebody never tried it"
    by_obs = [row for row in rows if "OBS: CurrentProgramSceneChanged" in row["confirmed_by"]]
    assert {row["command"] for row in by_obs} == {"scene", "panic", "unpanic"}
    assert any("VTS: at rest" in row["confirmed_by"] for row in rows)
    suggested = next(row["happened"] for row in rows if row["what"] == "!scene Gamimg")
    assert "There are: Gaming" in suggested


async def test_a_command_in_the_wrong_hands_is_seen(tmp_path: Path) -> None:
    """The rehearsal itself can fail: in this show everybody may switch scenes and mute."""
    own = tmp_path / "home" / "configs" / "commands.yaml"
    own.parent.mkdir(parents=True)
    rules = commands()
    for name in ("scene", "ai mute"):
        rules[name]["roles"] = ["everyone"]
    own.write_text(yaml.safe_dump({"commands": rules}) + "...\n", encoding="utf-8")
    async with stage(tmp_path, with_obs=False) as show:
        rows = await rehearse(show, [forbidden])
    wrong = {row.command: row.happened for row in unexpected(rows)}
    assert set(wrong) == {"scene", "ai mute"}
    assert wrong["ai mute"] == "done, not refused not_allowed"


def row(what: str, *, expected: bool = True) -> Row:
    return Row(what, "mia (mod)", "she " + "speaks " * 20, ("event stream", "reply"), 12.3, expected, "voice", "mod")


def test_the_table_shows_what_went_wrong() -> None:
    lines = table([row("!voice espeak"), row("!voice x", expected=False)]).splitlines()
    assert lines[0].split() == ["what", "who", "what", "happened", "confirmed", "by", "ms"]
    assert [line.endswith("UNEXPECTED") for line in lines[1:]] == [False, True]
    assert "…  event stream, reply  12" in lines[1]


def test_the_report_counts() -> None:
    found = report([row("a"), row("b", expected=False)])
    assert (found["as_expected"], found["unexpected"], len(found["rows"])) == (1, 1, 2)
    assert found["rows"][1]["confirmed_by"] == ["event stream", "reply"]
