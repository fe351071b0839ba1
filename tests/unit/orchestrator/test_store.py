"""Stories on disk when it is worse: starts and writes cut in the middle, rows that rotted, a disk that only reads."""

import asyncio
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from kitsu.errors import KitsuError
from kitsu_orchestrator import store as module
from kitsu_orchestrator.store import Store
from tests.unit.orchestrator.test_story_store import locked, opened, rows, story, until_written

STATEMENTS = 15
"""Some more than the first start needs."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(module, "RETRY_S", 0.02)


@contextmanager
def failing_at(store: Store, number: int) -> Iterator[Callable[[], bool]]:
    """The disk is full from the `number`th statement on; gives whether it came to that."""
    engine = store._engine.sync_engine
    seen = 0

    def execute(*_: Any) -> None:
        nonlocal seen
        seen += 1
        if seen >= number:
            raise sqlite3.OperationalError("database or disk is full")

    event.listen(engine, "before_cursor_execute", execute)
    try:
        yield lambda: seen >= number
    finally:
        event.remove(engine, "before_cursor_execute", execute)


@pytest.mark.parametrize("number", range(1, STATEMENTS + 1))
async def test_a_first_start_that_was_cut_anywhere_is_made_good_by_the_next(tmp_path: Path, number: int) -> None:
    path = tmp_path / "kitsu.db"
    store = Store.sqlite(path)
    with failing_at(store, number) as failed:
        await store.open()
        assert bool(store.failed) == failed()
    await store.close()
    async with opened(path) as after:
        assert await after.commit(story("1")), after.failed
        assert after.failed == ""
    assert rows(path) == [("1", "spoken", "completed")]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
async def test_a_write_that_was_cut_anywhere_is_made_good_by_the_next(tmp_path: Path, number: int) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path, writing=True) as store:
        with failing_at(store, number) as failed:
            store.save(story("1"))
            store.save(story("2"))
            written = await store.commit(story("3"))
            assert written is not failed()
        await until_written(store)
        assert store.failed == ""
    assert [row[0] for row in rows(path)] == ["1", "2", "3"]


ROTTEN = {
    "half an object": "'{\"half'",
    "no JSON": "'rotten'",
    "nothing": "''",
    "null": "'null'",
    "a list": "'[]'",
    "a number": "'1'",
    "bytes": "X'ff00ff'",
    "no UTF-8": "CAST(X'ff00ff' AS TEXT)",
}


@pytest.mark.parametrize("name", ROTTEN)
async def test_a_row_that_rotted_cannot_be_told_and_does_no_other_harm(tmp_path: Path, name: str) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path) as store:
        for turn_id in "123":
            await store.commit(story(turn_id))
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(f"UPDATE turn SET story = {ROTTEN[name]} WHERE turn_id = '2'")
    connection.close()
    async with opened(path) as store:
        assert (await store.get("3") or {})["outcome"] == "spoken"
        with suppress(KitsuError):  # that none of them can be told is an answer, too
            told = [turn.get("turn_id") for turn in await store.latest(None, 9)]
            assert (told[0], told[-1]) == ("3", "1")
        with suppress(KitsuError):
            assert (await store.get("2") or {}).get("text", "") == ""
        assert await store.commit(story("4"))
    assert [row[0] for row in rows(path)] == ["1", "2", "3", "4"]


@contextmanager
def only_readable(folder: Path) -> Iterator[Callable[[], None]]:
    """A folder on a disk that can only be read until the given function is called."""

    def mount(*options: str) -> bool:
        return subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False).returncode == 0

    if os.name == "posix" and os.geteuid() == 0:  # root writes wherever the disk lets it
        if not mount("-t", "tmpfs", "-o", "ro,size=8m", "tmpfs"):
            pytest.skip("nothing can be mounted here")
        try:
            yield lambda: None if mount("-o", "remount,rw") else pytest.fail("remount")
        finally:
            subprocess.run(["umount", str(folder)], check=True)
    elif os.name == "posix":
        folder.chmod(0o500)
        yield lambda: folder.chmod(0o700)
        folder.chmod(0o700)
    else:
        pytest.skip("folders cannot be made read-only there")


async def test_a_disk_that_can_only_be_read_costs_stories_until_it_can_be_written(tmp_path: Path) -> None:
    with only_readable(tmp_path) as allow_writing:
        path = tmp_path / "kitsu.db"
        async with opened(path, writing=True) as store:
            assert store.failed
            assert not await store.commit(story("1"))
            store.save(story("2", None))
            assert (await store.get("1") or {})["outcome"] == "spoken"
            assert store.state().depth == 2
            with pytest.raises(KitsuError, match="store_failed"):
                await store.latest(None, 9)
            allow_writing()
            await until_written(store)
            assert store.failed == ""
        assert rows(path) == [("1", "spoken", "completed"), ("2", None, "")]


async def test_what_is_saved_while_its_older_record_is_written_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path) as store:
        running = story("1", None)
        async with locked(path):
            writing = asyncio.create_task(store.commit(running))
            await asyncio.sleep(0)  # it has taken its rows, and waits for the file
            running.outcome, running.reason = "spoken", "completed"
            store.save(running)
        await writing
        assert (await store.get("1") or {})["outcome"] == "spoken"
        assert await store.commit(story("2"))
    assert rows(path) == [("1", "spoken", "completed"), ("2", "spoken", "completed")]


async def test_a_writer_that_is_stopped_while_it_waits_for_the_file_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_S", 5.0)
    path = tmp_path / "kitsu.db"
    async with opened(path) as store:
        async with locked(path):
            writer = asyncio.create_task(store.write_all())
            store.save(story("1"))
            while not store._writing.locked():  # noqa: ASYNC110 - the store has no event for it
                await asyncio.sleep(0)
            writer.cancel()
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await asyncio.gather(writer, return_exceptions=True)
    assert rows(path) == [("1", "spoken", "completed")]


async def test_a_writer_that_is_stopped_while_the_file_is_locked_does_not_hang(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path) as store:
        async with locked(path), asyncio.timeout(5):
            writer = asyncio.create_task(store.write_all())
            store.save(story("1"))
            while not store.failed:  # noqa: ASYNC110 - nor for this
                await asyncio.sleep(0.005)
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        assert store.state().depth == 1
        assert await store.commit(story("2"))
    assert [row[0] for row in rows(path)] == ["1", "2"]


async def test_many_commits_at_once_are_each_written_once(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path, writing=True) as store:
        done = await asyncio.gather(*(store.commit(story(f"{number:03}")) for number in range(100)))
        assert all(done)
        assert store.state().depth == 0
    assert [row[0] for row in rows(path)] == [f"{number:03}" for number in range(100)]


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE turn; --", "\0", "🦊" * 2000, "\u202e\u2066", '{"story": null}', "%s %(a)s :a ?", "\\ud800"]
)
async def test_any_text_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path) as store:
        assert await store.commit(story("1", text=text, author=text, wav=text))
    async with opened(path) as store:
        (found,) = await store.latest("stage", 9)
        assert (found["text"], found["author"], found["wav"]) == (text, text, text)
        assert await store.latest(text.replace("\0", "x"), 9) == []
    (told,) = rows(path, "SELECT story FROM turn")
    assert json.loads(str(told[0]))["text"] == text
