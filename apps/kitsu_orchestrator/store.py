"""Stories of turns, in SQLite (or any database SQLAlchemy's async engine speaks). Never on the path of a turn."""

import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Float, Index, String, Text, delete, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from kitsu.protocol import QueueState
from kitsu.telemetry import log
from kitsu_orchestrator.story import Story

QUEUE_LIMIT = 500
HEAD = "0001"
"""The newest migration; a test compares it with migrations/versions."""


class Base(DeclarativeBase):
    """Base of the tables."""


class TurnRow(Base):
    """One turn. `outcome` is null while it runs."""

    __tablename__ = "turn"
    __table_args__ = (Index("ix_turn_conv_accepted", "conv", "accepted_at"),)

    turn_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    conv: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(16))
    accepted_at: Mapped[int] = mapped_column(BigInteger)  # unix µs
    author: Mapped[str] = mapped_column(Text)
    author_role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)  # empty unless the gate let it through
    outcome: Mapped[str | None] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(32))
    heard: Mapped[str] = mapped_column(Text)
    audio_ms: Mapped[float] = mapped_column(Float)
    story: Mapped[dict[str, Any]] = mapped_column(JSON)  # as `GET /turns/{id}` shows it


class Store:
    """Writes in the background, in order; a full disk costs stories, not turns."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._sessions = async_sessionmaker(engine, expire_on_commit=False)
        self._queue: asyncio.Queue[TurnRow] = asyncio.Queue(QUEUE_LIMIT)
        self.failed = ""  # why the last write failed
        self._dropped = 0

    @classmethod
    def sqlite(cls, path: Path) -> "Store":
        """A store in one file, in WAL mode."""
        return cls(create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": 5}))

    async def open(self) -> None:
        """Bring the tables up to date and end what a crash left open."""
        await self._migrate()
        async with self._sessions.begin() as session:
            await session.execute(
                update(TurnRow).where(TurnRow.outcome.is_(None)).values(outcome="failed", reason="restart")
            )

    async def close(self) -> None:
        """Close all connections."""
        await self._engine.dispose()

    def save(self, story: Story) -> None:
        """Write soon."""
        if self._queue.full():
            self._queue.get_nowait()
            self._dropped += 1
        self._queue.put_nowait(_row(story))

    async def commit(self, story: Story) -> None:
        """Write now.

        Raises:
            SQLAlchemyError: it could not be written.
        """
        async with self._sessions.begin() as session:
            await session.merge(_row(story))

    async def write_all(self) -> None:
        """The background writer; runs until cancelled, then writes what is left."""
        try:
            while True:
                await self._write([await self._queue.get()])
        finally:
            await asyncio.shield(self._write(self._rest()))

    async def get(self, turn_id: str) -> dict[str, Any] | None:
        """The story of one turn."""
        async with self._sessions() as session:
            row = await session.get(TurnRow, turn_id)
        return None if row is None else _story(row)

    async def latest(self, conv: str | None, limit: int) -> list[dict[str, Any]]:
        """The newest turns, newest first."""
        query = select(TurnRow).order_by(TurnRow.accepted_at.desc()).limit(limit)
        if conv is not None:
            query = query.where(TurnRow.conv == conv)
        async with self._sessions() as session:
            return [_story(row) for row in await session.scalars(query)]

    async def forget(self, keep_days: int) -> None:
        """Delete old stories."""
        before = (time.time_ns() // 1000) - keep_days * 86_400_000_000
        async with self._sessions.begin() as session:
            await session.execute(delete(TurnRow).where(TurnRow.accepted_at < before))

    def state(self) -> QueueState:
        """The writer's queue, for status."""
        return QueueState(depth=self._queue.qsize(), limit=QUEUE_LIMIT, policy="drop_oldest", dropped=self._dropped)

    def _rest(self) -> list[TurnRow]:
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]

    async def _write(self, rows: list[TurnRow]) -> None:
        try:
            async with self._sessions.begin() as session:
                for row in (*rows, *self._rest()):
                    await session.merge(row)
            self.failed = ""
        except SQLAlchemyError as error:
            self.failed = str(error.__cause__ or error)
            log.error("store.write_failed", error=self.failed)

    async def _migrate(self) -> None:
        async with self._engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                await connection.execute(text("PRAGMA journal_mode=WAL"))
            if await connection.run_sync(_version) != HEAD:
                await connection.run_sync(_upgrade)


def _version(connection: Any) -> str | None:
    """The migration that the database is at. Asked without Alembic, whose import costs a tenth of the start."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _upgrade(connection: Any) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _row(story: Story) -> TurnRow:
    data = msgspec.to_builtins(story.as_json())
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
        story=data,
    )


def _story(row: TurnRow) -> dict[str, Any]:
    return {**row.story, "outcome": row.outcome, "reason": row.reason}


async def try_commit(store: Store, story: Story) -> bool:
    """Write now; False when that is not possible (the reason is logged)."""
    try:
        await store.commit(story)
    except SQLAlchemyError as error:
        log.error("store.commit_failed", error=str(error.__cause__ or error))
        return False
    return True
