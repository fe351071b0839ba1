"""Stories on disk: a file that is new, old, from the future, locked or no database at all never costs a turn."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from kitsu.errors import ConfigError, KitsuError
from kitsu.protocol import now_us
from kitsu_orchestrator import store as module
from kitsu_orchestrator.store import QUEUE_LIMIT, Store, bring_up_to_date, upgrade
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.tables import HEAD


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOCK_TIMEOUT_S", 0.05)
    monkeypatch.setattr(module, "RETRY_S", 0.02)


def story(turn_id: str, outcome: str | None = "spoken", **fields: object) -> Story:
    made = Story(turn_id=turn_id, conv="stage", kind="chat", accepted_at=now_us())
    for name, value in {"outcome": outcome, "reason": "completed" if outcome else "", **fields}.items():
        setattr(made, name, value)
    return made


@asynccontextmanager
async def opened(path: Path, *, writing: bool = False) -> AsyncIterator[Store]:
    store = Store.sqlite(path)
    await store.open()
    writer = asyncio.create_task(store.write_all()) if writing else None
    try:
        yield store
    finally:
        if writer is not None:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        await store.close()


def rows(
    path: Path, query: str = "SELECT turn_id, outcome, reason FROM turn ORDER BY turn_id"
) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


@asynccontextmanager
async def locked(path: Path) -> AsyncIterator[None]:
    """Another program holds the file."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


async def until_written(store: Store) -> None:
    async with asyncio.timeout(5):
        while store.state().depth:  # noqa: ASYNC110 - the store has no event for it
            await asyncio.sleep(0.01)


async def test_an_empty_file_gets_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    path.touch()
    async with opened(path) as store:
        assert await store.commit(story("1", heard=(), text="hi"))
        found = await store.get("1")
        assert found is not None
        assert (found["outcome"], found["text"]) == ("spoken", "hi")
        assert await store.get("2") is None
        assert store.failed == ""
    assert rows(path, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]


def test_a_new_database_has_the_tables_that_the_migrations_make() -> None:
    made, migrated = (create_engine("sqlite://") for _ in range(2))
    with made.begin() as connection:
        bring_up_to_date(connection)
    with migrated.begin() as connection:
        upgrade(connection)
    assert structure(made) == structure(migrated)
    with migrated.begin() as connection:  # as the first version left it
        connection.execute(text("DROP TABLE verdict"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        bring_up_to_date(connection)
    assert structure(made) == structure(migrated)


def structure(engine: Engine) -> dict[str, Any]:
    """Columns, keys and indexes of every table."""
    found = inspect(engine)
    return {
        name: (
            [(column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(name)],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted(found.get_indexes(name), key=str),
        )
        for name in found.get_table_names()
    }


async def test_opening_again_keeps_what_was_written(tmp_path: Path) -> None:
    for number in range(3):
        async with opened(tmp_path / "kitsu.db") as store:
            assert await store.commit(story(str(number)))
            assert [turn["turn_id"] for turn in await store.latest(None, 9)] == list("210")[2 - number :]


async def test_a_database_of_a_later_version_stops_the_start_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path) as store:
        await store.commit(story("1", None))
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    store = Store.sqlite(path)
    with pytest.raises(ConfigError, match="database_newer"):
        await store.open()
    await store.close()
    assert rows(path, "SELECT version_num FROM alembic_version") == [("9999",)]
    assert rows(path) == [("1", None, "")]


async def test_what_a_crash_left_open_ended_with_it(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path) as store:
        for made in (story("1"), story("2", None), story("3", "dropped"), story("4", None)):
            await store.commit(made)
    async with opened(path) as store:
        ends = {turn["turn_id"]: (turn["outcome"], turn["reason"]) for turn in await store.latest(None, 9)}
    assert ends == {
        "1": ("spoken", "completed"),
        "2": ("failed", "restart"),
        "3": ("dropped", "completed"),
        "4": ("failed", "restart"),
    }


async def test_the_newest_record_of_a_turn_counts(tmp_path: Path) -> None:
    async with opened(tmp_path / "kitsu.db") as store:
        running = story("1", None)
        await store.commit(running)
        running.outcome, running.reason = "interrupted", "skip"
        store.save(running)
        found = await store.get("1")  # not written yet
        assert found is not None
        assert (found["outcome"], store.state().depth) == ("interrupted", 1)
        assert [turn["outcome"] for turn in await store.latest("stage", 9)] == ["interrupted"]
        assert await store.latest("page:1", 9) == []
        assert store.state().depth == 0


async def test_a_queue_without_room_drops_its_oldest_and_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path) as store:
        for number in range(QUEUE_LIMIT + 7):
            store.save(story(f"{number:04}"))
        store.save(story(f"{QUEUE_LIMIT:04}"))  # is there already: nobody has to go for it
        state = store.state()
        assert (state.depth, state.limit, state.policy, state.dropped) == (QUEUE_LIMIT, QUEUE_LIMIT, "drop_oldest", 7)
        assert await store.get("0006") is None
        assert await store.commit(story("last"))
        assert store.state().dropped == 8
    written = [row[0] for row in rows(path)]
    assert (len(written), written[0]) == (QUEUE_LIMIT, "0008")


async def test_a_locked_file_is_complained_about_and_written_later(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path, writing=True) as store:
        async with locked(path):
            assert not await store.commit(story("1"))
            assert "locked" in store.failed
            store.save(story("2", None))
            assert store.state().depth == 2
            assert await store.get("1") is not None
        await until_written(store)
        assert store.failed == ""
    assert rows(path) == [("1", "spoken", "completed"), ("2", None, "")]


async def test_a_file_that_is_locked_at_the_start_gets_its_tables_later(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path) as before:
        await before.commit(story("0", None))
    async with locked(path):
        store = Store.sqlite(path)
        await store.open()
        assert "locked" in store.failed
        assert not await store.commit(story("1", None))
        assert await store.get("1") is not None
    assert await store.commit(story("2", None))
    await store.close()
    # what the crash left ends; what runs now does not
    assert rows(path) == [("0", "failed", "restart"), ("1", None, ""), ("2", None, "")]


@pytest.mark.parametrize("content", [b"garbage " * 1000, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 4096])
async def test_a_file_that_is_no_database_costs_stories_and_nothing_else(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "kitsu.db"
    path.write_bytes(content)
    async with opened(path, writing=True) as store:
        assert store.failed
        assert not await store.commit(story("1"))
        assert (await store.get("1") or {})["outcome"] == "spoken"
        await store.forget(1)
        for ask in (store.get("2"), store.latest(None, 9)):
            with pytest.raises(KitsuError) as caught:
                await ask
            assert (caught.value.code, caught.value.retryable) == ("store_failed", True)
        assert store.state().depth == 1
    assert path.read_bytes() == content


async def test_a_folder_that_is_gone_costs_stories_and_nothing_else(tmp_path: Path) -> None:
    async with opened(tmp_path / "gone" / "kitsu.db") as store:
        assert store.failed
        assert not await store.commit(story("1"))
        (tmp_path / "gone").mkdir()
        assert await store.commit(story("2"))
        assert store.failed == ""
    assert [row[0] for row in rows(tmp_path / "gone" / "kitsu.db")] == ["1", "2"]


async def test_the_writer_waits_while_a_turn_is_about_to_sound_and_commit_does_not(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path, writing=True) as store:
        waits = True
        store.hurried = lambda: waits
        store.save(story("1"))
        await asyncio.sleep(0.2)
        assert (rows(path), store.state().depth) == ([], 1)
        async with asyncio.timeout(1):
            assert await store.commit(story("2"))
        assert [row[0] for row in rows(path)] == ["1", "2"]
        store.save(story("3"))
        await asyncio.sleep(0.2)
        assert store.state().depth == 1
        waits = False
        await until_written(store)


async def test_the_writer_does_not_wait_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_WAIT_S", 0.1)
    async with opened(tmp_path / "kitsu.db", writing=True) as store:
        store.hurried = lambda: True
        store.save(story("1"))
        await until_written(store)


async def test_who_stops_the_writer_gets_the_rest_written(tmp_path: Path) -> None:
    path = tmp_path / "kitsu.db"
    async with opened(path, writing=True) as store:
        store.hurried = lambda: True
        await asyncio.sleep(0)
        store.save(story("1"))
    assert rows(path) == [("1", "spoken", "completed")]


async def test_old_stories_are_forgotten(tmp_path: Path) -> None:
    day = 86_400_000_000
    async with opened(tmp_path / "kitsu.db") as store:
        for days in (0, 2, 4):
            await store.commit(story(str(days), accepted_at=now_us() - days * day))
        await store.forget(3)
        assert [turn["turn_id"] for turn in await store.latest(None, 9)] == ["0", "2"]
