"""Scores the gate on texts with a known right answer, by category and technique (as HateCheck and XSTest do)."""

import re
import statistics
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec

from kitsu.errors import KitsuError
from kitsu.safety.verdict import Judge

AUTHOR = "viewer"
_SENTENCE_END = re.compile(r"(?<=[.!?]) ")


class Row(msgspec.Struct, frozen=True):
    """One line of a corpus; other fields are ignored.

    Technique `split`: a message or chunk a line. Technique `username`: the text is a display name. For self-harm
    inputs `block` means: answered with the supportive line instead of by the model.
    """

    id: str
    stage: Literal["input", "output"]
    text: str
    expect: Literal["block", "allow"]
    category: str
    technique: str = "plain"


@dataclass(slots=True)
class Tally:
    """How many of a kind, and how many of them went wrong."""

    rows: int = 0
    wrong: int = 0


@dataclass(slots=True)
class Score:
    """What came out."""

    categories: dict[str, Tally] = field(default_factory=dict)
    techniques: dict[str, Tally] = field(default_factory=dict)
    misses: list[str] = field(default_factory=list)  # ids that should have been blocked
    false_alarms: list[str] = field(default_factory=list)  # ids that should have passed
    rules: Counter[str] = field(default_factory=Counter)  # of the false alarms
    times_ms: list[float] = field(default_factory=list)

    def count(self, row: Row, blocked_by: str) -> None:
        """One row, and the rule that blocked it; empty when it passed."""
        wrong = bool(blocked_by) != (row.expect == "block")
        for tallies, name in ((self.categories, row.category), (self.techniques, row.technique)):
            tally = tallies.setdefault(f"{name} ({row.expect})", Tally())
            tally.rows += 1
            tally.wrong += wrong
        if wrong:
            (self.misses if row.expect == "block" else self.false_alarms).append(row.id)
            self.rules[blocked_by] += bool(blocked_by)

    def figures(self) -> dict[str, Any]:
        """As `--json` prints it."""
        ordered = sorted(self.times_ms) or [0.0]
        return {
            "rows": sum(tally.rows for tally in self.categories.values()),
            "misses": self.misses,
            "false_alarms": self.false_alarms,
            "categories": {name: [tally.rows, tally.wrong] for name, tally in sorted(self.categories.items())},
            "techniques": {name: [tally.rows, tally.wrong] for name, tally in sorted(self.techniques.items())},
            "p50_ms": round(statistics.median(ordered), 3),
            "p99_ms": round(ordered[int(0.99 * (len(ordered) - 1))], 3),
        }


def read_rows(path: Path) -> list[Row]:
    """The rows of a JSONL file.

    Raises:
        KitsuError: `bad_corpus`, with file and line.
    """
    rows = []
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise KitsuError("bad_corpus", f"{path} cannot be read: {error.strerror}.") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rows.append(msgspec.json.decode(line, type=Row))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise KitsuError("bad_corpus", f"{path}, line {number}: {error}.") from None
    return rows


async def score(gate: Judge, rows: Iterable[Row]) -> Score:
    """Judge every row as the show would."""
    result = Score()
    for row in rows:
        started = time.perf_counter()
        parts = row.text.split("\n") if row.technique == "split" else [row.text]
        blocked_by = await (_name if row.technique == "username" else _BY_STAGE[row.stage])(gate, row.id, parts)
        result.times_ms.append((time.perf_counter() - started) * 1000 / len(parts))
        result.count(row, blocked_by)
    return result


async def _name(gate: Judge, row_id: str, parts: list[str]) -> str:
    verdict = await gate.judge_input("hello", author=parts[0], turn_id=row_id)
    return "" if verdict.author else "name"


async def _input(gate: Judge, row_id: str, parts: list[str]) -> str:
    verdicts = [await gate.judge_input(part, author=f"{AUTHOR} {row_id}", turn_id=row_id) for part in parts]
    return next((verdict.why.rule for verdict in verdicts if not verdict.allowed), "")


async def _output(gate: Judge, row_id: str, parts: list[str]) -> str:
    """Chunks are put together before they are judged; those that end a sentence are segments of their own."""
    window = gate.window(row_id)
    segments = _SENTENCE_END.split("".join(parts)) if len(parts) > 1 else parts
    verdicts = [await window.judge(segment) for segment in segments]
    return next((verdict.why.rule for verdict in verdicts if not verdict.allowed), "")


_BY_STAGE = {"input": _input, "output": _output}
