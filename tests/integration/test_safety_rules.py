"""The gate's rules while the show runs: files that change, are spoiled and mended."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kitsu.config import CHECKOUT, SafetySettings
from kitsu_orchestrator.rule_files import RuleFiles
from kitsu_orchestrator.rule_keeper import RuleKeeper
from tests.integration.orchestrator_stack import KEY, Stack, stack

Change = Callable[[Path], object]


@asynccontextmanager
async def live(tmp_path: Path, spoil: Change = lambda folder: None) -> AsyncIterator[tuple[Stack, RuleKeeper, Path]]:
    """A show by real rule files in a folder of its own."""
    folder = Path(shutil.copytree(CHECKOUT / "configs" / "safety", tmp_path / "rules"))
    spoil(folder)
    files = RuleFiles(folder, tmp_path / "data" / "safety.yaml", SafetySettings(budget_ms=2000))
    keeper = RuleKeeper.start(files, KEY)
    async with stack(tmp_path, judge=keeper.gate, keeper=keeper) as show:
        yield show, keeper, folder


def append(name: str, text: str) -> Change:
    """Put a line before the end line of a file."""

    def change(folder: Path) -> None:
        path = folder / name
        path.write_text(path.read_text().removesuffix("...\n") + text + "...\n")

    return change


def rewritten(path: Path, text: str) -> None:
    path.write_text(text)
    os.utime(path, ns=(1, 1))  # another time than any write could have, whatever the disk's clock resolves


ADD = append("lexicon.de.yaml", "  doxxing:\n    words: [wumpusschlag]\n")


async def test_a_changed_file_counts_and_is_announced(tmp_path: Path) -> None:
    async with live(tmp_path) as (show, keeper, folder), show.page() as page:
        assert (await show.chat("wumpusschlag"))["outcome"] == "spoken"
        ADD(folder)
        await keeper.look()
        assert (await show.chat("wumpusschlag"))["outcome"] == "blocked"
        assert (await page.until("stream.notice", code="rules_reloaded"))["level"] == "info"
        assert (await show.get("/status"))["safety"]["state"] == "ok"


async def test_it_is_seen_without_being_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_orchestrator.rule_keeper.LOOK_EVERY_S", 0.02)
    async with live(tmp_path) as (show, _keeper, folder), show.page() as page:
        ADD(folder)
        await page.until("stream.notice", code="rules_reloaded")
        assert (await show.chat("wumpusschlag"))["outcome"] == "blocked"


SPOILED: dict[str, Change] = {
    "deleted": lambda folder: (folder / "definitions.yaml").unlink(),
    "all deleted": lambda folder: shutil.rmtree(folder),
    "half-written": lambda folder: rewritten(
        folder / "lexicon.en.yaml", (folder / "lexicon.en.yaml").read_text()[:400]
    ),
    "empty": lambda folder: rewritten(folder / "categories.yaml", ""),
    "not YAML": lambda folder: rewritten(folder / "allow.yaml", "allowed: [a\n...\n"),
    "binary": lambda folder: (folder / "allow.yaml").write_bytes(b"\xff\xfe\x00" * 99),
    "bad pattern": append("patterns.hate.yaml", "  - {name: a/b, category: hate, pattern: '(?=b)'}\n"),
    "unknown category": append("lexicon.de.yaml", "  nonsense:\n    words: [wumpusschlag]\n"),
}


@pytest.mark.parametrize("how", SPOILED)
async def test_a_bad_set_changes_nothing_but_the_health(tmp_path: Path, how: str) -> None:
    async with live(tmp_path) as (show, keeper, folder), show.page() as page:
        before = {path: path.read_bytes() for path in folder.iterdir()}
        SPOILED[how](folder)
        await keeper.look()
        notice = await page.until("stream.notice")
        assert notice["level"] == "error"
        assert ".yaml" in notice["message"]
        state = (await show.get("/status"))["safety"]
        assert state["state"] == "degraded"
        assert ".yaml" in state["reason"]
        assert (await show.chat("you fucking idiot"))["outcome"] == "blocked"
        assert (await show.chat("hello"))["outcome"] == "spoken"
        folder.mkdir(exist_ok=True)
        for path, content in before.items():
            path.write_bytes(content)
        ADD(folder)
        await keeper.look()
        assert (await show.get("/status"))["safety"]["state"] == "ok"
        assert (await show.chat("wumpusschlag"))["outcome"] == "blocked"


@pytest.mark.parametrize("how", SPOILED)
async def test_a_show_that_begins_without_rules_says_nothing_until_they_are_mended(tmp_path: Path, how: str) -> None:
    async with live(tmp_path, SPOILED[how]) as (show, keeper, folder):
        assert (await show.get("/status"))["safety"]["state"] == "closed"
        assert (await show.chat("hello"))["reason"] == "gate_error"
        await show.post("/safety/block", {"term": "wumpus"}, status=409)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(CHECKOUT / "configs" / "safety", folder)
        os.utime(folder / "allow.yaml", ns=(1, 1))
        await keeper.look()
        assert (await show.chat("hello"))["outcome"] == "spoken"
        assert (await show.chat("you fucking idiot"))["outcome"] == "blocked"
        show.brain.answers.append(show.show.studio.canary)  # the opened gate watches over her instructions, too
        assert (await show.chat("what is your mark?"))["outcome"] == "blocked"


async def test_the_operators_file_is_followed_and_kept_when_it_is_gone(tmp_path: Path) -> None:
    async with live(tmp_path) as (show, keeper, _folder):
        own = tmp_path / "data" / "safety.yaml"
        own.write_text("blocked:\n- {term: wumpus}\nallowed: []\n...\n")
        await keeper.look()
        assert (await show.chat("wumpus"))["outcome"] == "blocked"
        own.unlink()
        await keeper.look()
        assert (await show.chat("wumpus"))["outcome"] == "blocked"
        assert "is gone" in (await show.get("/status"))["safety"]["reason"]
        await show.post("/safety/block", {"term": "flumpen"})
        await keeper.look()
        assert (await show.get("/status"))["safety"]["state"] == "ok"
        assert (await show.chat("wumpus"))["outcome"] == "blocked"


async def test_a_reload_holds_the_event_loop_up_for_a_few_ms_only(tmp_path: Path) -> None:
    async with live(tmp_path) as (_show, keeper, folder):
        longest = 0.0

        async def ticking() -> None:
            nonlocal longest
            loop = asyncio.get_running_loop()
            while True:
                before = loop.time()
                await asyncio.sleep(0.001)
                longest = max(longest, (loop.time() - before) * 1000 - 1)

        ticks = asyncio.create_task(ticking())
        ADD(folder)
        await keeper.look()
        ticks.cancel()
        assert keeper.reloads == 1
        assert longest < 100  # a few ms by itself; other tests may have the processor
