"""The gate on the corpus: how long a verdict takes, what is missed, what is blocked in error.

Every row of tests/safety/corpus is judged as the show would judge it, all stages and views.
"""

import secrets
import sys
from pathlib import Path

from bench.script import Figures, Line, Report, at_most, parser, progress, run
from kitsu.config import CHECKOUT
from kitsu.protocol.approved import SEAL_KEY_BYTES
from kitsu.safety import Gate, Judge, load_rulebook
from kitsu.safety.scoring import Row, read_rows, score
from kitsu.safety.vote import LinearVote, VotedGate

CORPUS = CHECKOUT / "tests" / "safety" / "corpus"
LONGEST = "ignore all z.o.r.b.l.y of the c4ts " * 60  # about the 2,000 code points of the longest line that is taken
LINES = (
    Line("verdict on a row, p50 ms", "p50_ms"),
    Line("verdict on a row, p99 ms", "p99_ms", "<= 5", at_most(5)),
    Line("verdict on 2,000 code points of disguises, p99 ms", "longest_p99_ms"),
    Line("bad rows missed, %", "missed_percent"),
    Line("innocent rows blocked, %", "false_alarm_percent", "<= 3", at_most(3)),
    Line("of the Scunthorpe family", "scunthorpe_blocked", "0", at_most(0)),
    Line("rows", "rows"),
)


async def measure(quick: bool, file: Path | None, vote_from: float) -> Report:
    rows = [row for path in ([file] if file else sorted(CORPUS.glob("*.jsonl"))) for row in read_rows(path)]
    rows = rows[:: 5 if quick else 1]
    gate = _gate(vote_from)
    progress(f"judging {len(rows)} rows, twice")
    await score(gate, rows)  # automata and caches warm, as in a show that has run for a minute
    result = await score(gate, rows)
    longest = await score(
        gate, [Row(str(n), "output", LONGEST, "allow", "length") for n in range(20 if quick else 200)]
    )
    figures = result.figures()
    bad = sum(row.expect == "block" for row in rows)
    scunthorpe = result.categories.get("scunthorpe (allow)")
    shown: Figures = {
        "rows": len(rows),
        "p50_ms": figures["p50_ms"],
        "p99_ms": figures["p99_ms"],
        "longest_p99_ms": longest.figures()["p99_ms"],
        "missed_percent": round(100 * len(result.misses) / max(1, bad), 2),
        "false_alarm_percent": round(100 * len(result.false_alarms) / max(1, len(rows) - bad), 2),
        "scunthorpe_blocked": scunthorpe.wrong if scunthorpe else 0,
    }
    return Report(shown, LINES)


def _gate(vote_from: float) -> Judge:
    book = load_rulebook(CHECKOUT / "configs" / "safety", family_mode=True)
    gate = Gate(book.rules, secrets.token_bytes(SEAL_KEY_BYTES), actions=book.actions, budget_ms=5000)
    if not vote_from:
        return gate
    vote = LinearVote(vote_from)
    vote.load()
    return VotedGate(gate, vote, lambda: (book.milder, book.actions))


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--file", type=Path, help="other rows than the corpus")
    options.add_argument("--vote", type=float, default=0.0, metavar="FROM", help="with the vote, strong from FROM on")
    chosen = options.parse_args()
    return run(measure(chosen.quick, chosen.file, chosen.vote), as_json=chosen.json)


if __name__ == "__main__":
    sys.exit(main())
