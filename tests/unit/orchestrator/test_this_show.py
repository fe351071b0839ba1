"""What outlives a crash, and what must not."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from kitsu.config import CHECKOUT
from kitsu.protocol import Author
from kitsu.safety import Why
from kitsu.safety.own import OwnList
from kitsu_orchestrator import this_show as module
from kitsu_orchestrator.held import HeldLines
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.rule_files import RuleFiles
from kitsu_orchestrator.rule_keeper import RuleKeeper
from kitsu_orchestrator.this_show import ThisShow
from tests.unit.safety.conftest import KEY

WHY = Why("odd/term-1", "odd", "skeleton", 0.5, "hold", 2, 8)


def line(text: str = "a zorbly line", **fields: Any) -> Job:
    return Job(text=text, author=Author(name="Ann", role="sub", platform="twitch", user_id="7"), **fields)


def files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


class Desk:
    """The words and lines of one run."""

    def __init__(self) -> None:
        self.words = OwnList()
        self.lines = HeldLines(clock=lambda: 0.0)
        self.told: list[str] = []

    def block(self, term: str) -> None:
        self.words = self.words.blocking(term)


@asynccontextmanager
async def run(kept: ThisShow, desk: Desk | None = None) -> AsyncIterator[Desk]:
    """As the orchestrator does it, until the crash."""
    desk = desk or Desk()
    desk.words = kept.now_only
    kept.restore(desk.lines)
    kept.tell = lambda level, code, message: desk.told.append(code)
    desk.lines.changed = kept.changed
    task = asyncio.create_task(kept.keep(lambda: desk.words, desk.lines))
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.wait({task})


async def written(path: Path, *terms: str, lines: int = 0) -> None:
    """Until the file says so."""

    def says() -> tuple[list[str], int]:
        try:
            data = json.loads(path.read_bytes())
        except FileNotFoundError:
            return [], 0
        return [row["term"] for row in data["now_only"]], len(data["held"])

    async with asyncio.timeout(5):
        while says() != (list(terms), lines):  # noqa: ASYNC110 - another thread writes a file; there is no event for it
            await asyncio.sleep(0.005)


async def test_words_and_lines_come_back_after_a_crash(tmp_path: Path) -> None:
    path, job = tmp_path / "show.json", line(message_id="m", paid=5, asked=True, conv="stage")
    kept = ThisShow(path, "one")
    async with run(kept) as desk:
        desk.block("zorbly")
        desk.lines.add(job, WHY)
        await written(path, "zorbly", lines=1)
        before = desk.lines.as_json()
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    async with run(ThisShow(path, "one")) as desk:
        assert [known.term for known in desk.words.blocked] == ["zorbly"]
        (after,) = desk.lines.as_json()
        assert 590 < after.pop("expires_in_s") <= before[0].pop("expires_in_s") == 600
        assert after == before[0]
        allowed = desk.lines.allow(job.turn_id)
        assert allowed is not None
        assert (allowed.text, allowed.author, allowed.message_id) == (job.text, job.author, "m")
        assert (allowed.paid, allowed.asked, allowed.pardoned) == (5, True, True)
        await written(path, "zorbly")


async def test_nothing_is_left_when_nothing_is_to_keep(tmp_path: Path) -> None:
    path, job = tmp_path / "show.json", line()
    async with run(ThisShow(path, "one")) as desk:
        desk.lines.add(job, WHY)
        await written(path, lines=1)
        desk.lines.deny(job.turn_id)
        await written(path)
        assert files(tmp_path) == []


async def test_a_planned_stop_forgets(tmp_path: Path) -> None:
    path = tmp_path / "show.json"
    kept = ThisShow(path, "one")
    async with run(kept) as desk:
        desk.block("zorbly")
        kept.changed()
        await written(path, "zorbly")
        kept.forget()
        desk.block("flumpen")
        kept.changed()
    assert files(tmp_path) == []
    assert kept._write(module.Kept("one", desk.words.blocked)) == "", "a write that was under way"
    assert files(tmp_path) == []


@pytest.mark.parametrize("show", ["two", ""], ids=["another show", "without a launcher"])
async def test_another_show_begins_anew(tmp_path: Path, show: str) -> None:
    path = tmp_path / "show.json"
    async with run(ThisShow(path, "one")) as desk:
        desk.block("zorbly")
        desk.lines.add(line(), WHY)
        await written(path, "zorbly", lines=1)
    other = ThisShow(path, show)
    assert other.now_only == OwnList()
    assert not path.exists()
    async with run(other) as desk:
        assert (desk.lines.as_json(), desk.told) == ([], [])


async def test_without_a_launcher_nothing_is_written(tmp_path: Path) -> None:
    kept, desk = ThisShow(tmp_path / "show.json", ""), Desk()
    desk.block("zorbly")
    await asyncio.wait_for(kept.keep(lambda: desk.words, desk.lines), 1)
    assert files(tmp_path) == []


async def test_a_line_whose_time_ran_out_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "show.json"
    async with run(ThisShow(path, "one")) as desk:
        desk.lines.add(line(), WHY)
        await written(path, lines=1)
    now = module.time.time() + 601
    monkeypatch.setattr(module.time, "time", lambda: now)
    async with run(ThisShow(path, "one")) as desk:
        assert desk.lines.as_json() == []


async def test_a_line_whose_time_runs_out_leaves_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    path, now, desk = tmp_path / "show.json", [0.0], Desk()
    desk.lines = HeldLines(clock=lambda: now[0])
    async with run(ThisShow(path, "one"), desk):
        desk.lines.add(line(), WHY)
        await written(path, lines=1)
        now[0] = 601.0
        await written(path)
    assert not path.exists()


HOSTILE = {
    "half": b'{"show": "one", "now_only": [{"term": "zor',
    "empty": b"",
    "garbage": b"\xff\xfe\x00",
    "another kind": b"[1, 2]",
    "wrong types": b'{"show": "one", "now_only": 5}',
    "deep": b"[" * 100_000,
    "a term of nothing": b'{"show": "one", "now_only": [{"term": "!!"}]}',
    "a term without end": b'{"show": "one", "now_only": [{"term": "' + b"x" * 500 + b'"}]}',
    "a line without its author": b'{"show": "one", "held": [{"turn_id": "t", "text": "x"}]}',
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
async def test_a_damaged_file_is_told_and_thrown_away(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "show.json"
    path.write_bytes(data)
    kept = ThisShow(path, "one")
    assert not path.exists()
    async with run(kept) as desk:
        desk.block("zorbly")
        kept.changed()
        await written(path, "zorbly")
        assert desk.told == ["this_show_lost"]


async def test_a_disk_without_room_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    path = tmp_path / "gone" / "show.json"
    kept = ThisShow(path, "one")
    async with run(kept) as desk:
        desk.block("zorbly")
        kept.changed()
        async with asyncio.timeout(5):
            while "this_show_not_kept" not in desk.told:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.005)
        path.parent.mkdir()
        await written(path, "zorbly")
        assert desk.told == ["this_show_not_kept"]


def test_the_words_count_before_anything_is_judged(tmp_path: Path) -> None:
    files = RuleFiles(CHECKOUT / "configs" / "safety", tmp_path / "safety.yaml")
    keeper = RuleKeeper.start(files, KEY, OwnList().blocking("zorbly"))
    assert keeper.gate.now.rules.find("you z o r b l y", "output") is not None  # type: ignore[attr-defined]
    assert keeper.own == OwnList()
    assert [known.term for known in keeper.now_only.blocked] == ["zorbly"]
