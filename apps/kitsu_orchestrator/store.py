"""Stories of turns, in SQLite. Never on the path of a turn."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, inspect, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine

from kitsu.errors import ConfigError, KitsuError
from kitsu.protocol import QueueState
from kitsu.telemetry import log
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.tables import HEAD, VERSION, Base, TurnRow, VerdictRow
from kitsu_orchestrator.verdicts import PENDING_LIMIT, Judged, Verdicts

QUEUE_LIMIT = 500
LOCK_TIMEOUT_S = 1.0
RETRY_S = 5.0
LONGEST_WAIT_S = 2.0  # for a turn that is about to sound
LOOK_EVERY_S = 0.05
_UNREADABLE = (SQLAlchemyError, ValueError, TypeError)  # the file, or the JSON of a row that rotted
_TOLD = ("turn_id", "conv", "kind", "accepted_at", "author", "author_role", "text", "heard", "audio_ms")


class Store:
    """Writes in the background; a full disk or a locked file costs stories, not turns."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._pending: OrderedDict[str, TurnRow] = OrderedDict()  # turn -> its newest record, not written yet
        self._verdicts = Verdicts()
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._ready = False  # the tables are there
        self._dropped = 0
        self.hurried: Callable[[], bool] = lambda: False  # whether somebody waits for a turn's first sound
        self.failed = ""  # why the last write failed

    @classmethod
    def sqlite(cls, path: Path) -> "Store":
        """A store in one file, in WAL mode."""
        return cls(create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": LOCK_TIMEOUT_S}))

    async def open(self) -> None:
        """Bring the tables up to date and end what a crash left open. If that fails, the first write tries again.

        Raises:
            ConfigError: `database_newer` when a later version of Kitsu has been here.
        """
        try:
            await self._prepare()
        except SQLAlchemyError as error:
            self._complain(error)

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    def save(self, story: Story) -> None:
        """Write soon."""
        self._pending.pop(story.turn_id, None)
        if len(self._pending) >= QUEUE_LIMIT:
            self._pending.popitem(last=False)
            self._dropped += 1
        self._pending[story.turn_id] = _row(story)
        self._wake.set()

    def note(self, judged: Judged) -> None:
        """Write a verdict soon: one that changed nothing with the next story, any other by itself."""
        self._verdicts.note(judged)
        if judged.why.action != "allow":
            self._wake.set()

    async def commit(self, story: Story) -> bool:
        """Write now. False when that was not possible; it stays queued then."""
        self.save(story)
        return await self._write()

    async def write_all(self) -> None:
        """The background writer; runs until cancelled, then writes what is left."""
        try:
            while True:
                await self._wake.wait()
                await self.calm()
                self._wake.clear()
                if not await self._write():
                    await asyncio.sleep(RETRY_S)
                    self._wake.set()
        finally:
            await self._write()

    async def calm(self) -> None:
        """First words before our books: a write costs some ms of the same processor."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT_S):
                while self.hurried():  # noqa: ASYNC110 - asked of whoever runs turns, only while there is something to write
                    await asyncio.sleep(LOOK_EVERY_S)

    async def get(self, turn_id: str) -> dict[str, Any] | None:
        """The story of one turn.

        Raises:
            KitsuError: `store_failed`.
        """
        waiting = self._pending.get(turn_id)
        if waiting is not None:
            return _story(waiting)
        try:
            async with self._sessions() as session:
                row = await session.get(TurnRow, turn_id)
                return None if row is None else _story(row)
        except _UNREADABLE as error:
            raise self._complain(error) from None

    async def latest(self, conv: str | None, limit: int) -> list[dict[str, Any]]:
        """The newest turns, newest first.

        Raises:
            KitsuError: `store_failed`.
        """
        await self._write()
        query = select(TurnRow).order_by(TurnRow.accepted_at.desc()).limit(limit)
        if conv is not None:
            query = query.where(TurnRow.conv == conv)
        try:
            async with self._sessions() as session:
                return [_story(row) for row in await session.scalars(query)]
        except _UNREADABLE as error:
            raise self._complain(error) from None

    async def why(self, turn_id: str) -> list[dict[str, Any]]:
        """What the gate said in one turn, in order.

        Raises:
            KitsuError: `store_failed`.
        """
        try:
            async with self._writing, self._sessions() as session:  # not while they are on their way to disk
                return await self._verdicts.of_turn(session, turn_id)
        except _UNREADABLE as error:
            raise self._complain(error) from None

    async def latest_verdicts(self, limit: int, *, everything: bool = False) -> list[dict[str, Any]]:
        """What the gate said last, newest first; without `everything` only what changed something.

        Raises:
            KitsuError: `store_failed`.
        """
        await self._write()
        try:
            async with self._sessions() as session:
                return await self._verdicts.latest(session, limit, everything=everything)
        except _UNREADABLE as error:
            raise self._complain(error) from None

    async def forget(self, keep_days: int) -> None:
        """Delete old stories and verdicts."""
        before = (time.time_ns() // 1000) - keep_days * 86_400_000_000
        try:
            async with self._sessions.begin() as session:
                await session.execute(delete(TurnRow).where(TurnRow.accepted_at < before))
                await session.execute(delete(VerdictRow).where(VerdictRow.at < before))
        except SQLAlchemyError as error:
            self._complain(error)

    def state(self) -> QueueState:
        """The writer's queue, for status."""
        return QueueState(depth=len(self._pending), limit=QUEUE_LIMIT, policy="drop_oldest", dropped=self._dropped)

    def verdict_state(self) -> QueueState:
        """Verdicts that wait to be written, for status."""
        waiting, dropped = len(self._verdicts), self._verdicts.dropped
        return QueueState(depth=waiting, limit=PENDING_LIMIT, policy="drop_oldest", dropped=dropped)

    async def _write(self) -> bool:
        """Write everything that waits. What cannot be written waits on, as long as there is room."""
        async with self._writing:
            rows = dict(self._pending)
            try:
                if not self._ready:
                    await self._prepare()
                async with self._sessions.begin() as session:
                    for row in rows.values():
                        await session.merge(row)
                    judged = await self._verdicts.write(session)
            except SQLAlchemyError as error:
                self._complain(error)
                return False
            self._verdicts.written(judged)
            for turn_id, row in rows.items():
                if self._pending.get(turn_id) is row:
                    del self._pending[turn_id]
            self.failed = ""
            return True

    async def _prepare(self) -> None:
        async with self._engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                await connection.execute(text("PRAGMA journal_mode=WAL"))
                await connection.execute(text("BEGIN IMMEDIATE"))  # or each statement of a migration stands alone
            await connection.run_sync(bring_up_to_date)
            running = TurnRow.outcome.is_(None) & TurnRow.turn_id.not_in(self._pending)
            await connection.execute(update(TurnRow).where(running).values(outcome="failed", reason="restart"))
        self._ready = True

    def _complain(self, error: Exception) -> KitsuError:
        self.failed = str(error.__cause__ or error)
        log.error("store.failed", error=self.failed)
        return KitsuError("store_failed", f"The database does not answer: {self.failed}.", retryable=True)


def bring_up_to_date(connection: Connection) -> None:
    """Alembic comes in only for a database of an earlier version: its import costs a tenth of the start."""
    tables = inspect(connection).get_table_names()
    if not tables:
        Base.metadata.create_all(connection)
        connection.execute(insert(VERSION).values(version_num=HEAD))
    elif VERSION.name not in tables or connection.scalar(select(VERSION)) != HEAD:
        upgrade(connection)


def upgrade(connection: Connection) -> None:
    """Do the migrations that are missing.

    Raises:
        ConfigError: `database_newer`.
    """
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError:
        raise ConfigError(
            "database_newer",
            "data/kitsu.db was made by a later version of Kitsu. Update, or move the file away to begin anew.",
        ) from None


def _row(story: Story) -> TurnRow:
    return TurnRow(
        turn_id=story.turn_id,
        conv=story.conv,
        kind=story.kind,
        accepted_at=story.accepted_at,
        author=story.author,
        author_role=story.author_role,
        text=story.text,
        outcome=story.outcome,
        reason=story.reason,
        heard=story.heard_text,
        audio_ms=story.audio_ms,
        story=msgspec.to_builtins(story.as_json()),
    )


def _story(row: TurnRow) -> dict[str, Any]:
    columns = {name: getattr(row, name) for name in _TOLD}
    return {**columns, **row.story, "outcome": row.outcome, "reason": row.reason}
