"""The record of what the gate said. Blocked text is kept here and nowhere else."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from kitsu.protocol import now_us
from kitsu.safety import Stage, Why
from kitsu_orchestrator.tables import VerdictRow

PENDING_LIMIT = 2000
MAX_CODE_POINTS = 1000  # of a text that is kept; the part around the finding
_NO_WHY = Why()


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict."""

    turn_id: str
    conv: str
    stage: Stage
    surface: str
    why: Why
    text: str = field(default="", repr=False)  # what `why` is about; empty when it was let through
    at: int = field(default_factory=now_us)  # unix µs

    def row(self) -> dict[str, Any]:
        """Its columns."""
        skipped = max(0, min(self.why.start - MAX_CODE_POINTS // 2, len(self.text) - MAX_CODE_POINTS))
        return {
            "turn_id": self.turn_id,
            "conv": self.conv,
            "at": self.at,
            "stage": self.stage,
            "surface": self.surface,
            "action": self.why.action,
            "rule": self.why.rule[:80],
            "category": self.why.category[:40],
            "view": self.why.view[:24],
            "ms": self.why.ms,
            "text": self.text[skipped : skipped + MAX_CODE_POINTS],
            "found_from": max(0, self.why.start - skipped),
            "found_to": max(0, min(self.why.end - skipped, MAX_CODE_POINTS)),
        }


class Verdicts:
    """Those that wait to be written, and the questions that can be asked about all."""

    def __init__(self) -> None:
        self._pending: deque[dict[str, Any]] = deque()
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._pending)

    def note(self, judged: Judged) -> None:
        """Write soon; the oldest goes when too many wait."""
        if len(self._pending) >= PENDING_LIMIT:
            self._pending.popleft()
            self.dropped += 1
        self._pending.append(judged.row())

    async def write(self, session: AsyncSession) -> list[dict[str, Any]]:
        """Write those that wait, as a part of `session`'s transaction; `written` follows."""
        rows = list(self._pending)
        if rows:
            await session.execute(insert(VerdictRow), rows)
        return rows

    def written(self, rows: list[dict[str, Any]]) -> None:
        """These are on disk."""
        done = set(map(id, rows))
        while self._pending and id(self._pending[0]) in done:
            self._pending.popleft()

    async def of_turn(self, session: AsyncSession, turn_id: str) -> list[dict[str, Any]]:
        """One turn's, in order."""
        query = select(VerdictRow).where(VerdictRow.turn_id == turn_id).order_by(VerdictRow.id)
        stored = [_told(row) for row in await session.scalars(query)]
        return stored + [_as_told(row) for row in self._pending if row["turn_id"] == turn_id]

    async def latest(self, session: AsyncSession, limit: int, *, everything: bool) -> list[dict[str, Any]]:
        """The newest, newest first; without `everything` only those that changed something."""
        wanted: ColumnElement[bool] = VerdictRow.action != "allow"
        query = select(VerdictRow).order_by(VerdictRow.id.desc()).limit(limit)
        return [_told(row) for row in await session.scalars(query if everything else query.where(wanted))]


def widened(text: str, start: int, end: int) -> str:
    """A finding as whole words."""
    while start > 0 and not text[start - 1].isspace():
        start -= 1
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[start:end].strip(".,:;!?\"'()[]{}… ")


def _told(row: VerdictRow) -> dict[str, Any]:
    return _as_told({name: getattr(row, name) for name in VerdictRow.__table__.columns.keys()})  # noqa: SIM118 - columns, not a dict


def _as_told(row: dict[str, Any]) -> dict[str, Any]:
    start, end = row["found_from"], row["found_to"]
    return {**row, "found": widened(row["text"], start, end) if end > start else ""}
