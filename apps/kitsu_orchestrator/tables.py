"""The tables, as the migrations leave them."""

from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, String, Table, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

HEAD = "0002"
"""The newest migration; a test compares it with migrations/versions."""


class Base(DeclarativeBase):
    """Base of the tables."""


VERSION = Table("alembic_version", Base.metadata, Column("version_num", String(32), primary_key=True))
"""Alembic's own: the migration that the database is at."""


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


class VerdictRow(Base):
    """One verdict of the gate. The only place where blocked text is kept."""

    __tablename__ = "verdict"
    __table_args__ = (Index("ix_verdict_turn", "turn_id"), Index("ix_verdict_at", "at"))

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    turn_id: Mapped[str] = mapped_column(String(32))
    conv: Mapped[str] = mapped_column(String(80))
    at: Mapped[int] = mapped_column(BigInteger)  # unix µs
    stage: Mapped[str] = mapped_column(String(8))
    surface: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(8))
    rule: Mapped[str] = mapped_column(String(80))
    category: Mapped[str] = mapped_column(String(40))
    view: Mapped[str] = mapped_column(String(24))
    ms: Mapped[float] = mapped_column(Float)
    text: Mapped[str] = mapped_column(Text)  # empty when it was let through
    found_from: Mapped[int] = mapped_column(Integer)  # code points of `text`
    found_to: Mapped[int] = mapped_column(Integer)
