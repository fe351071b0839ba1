"""The figures of bench_turn, beside what was measured of others."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.script import Line, Report, at_most
from bench.stats import drift, p50, p95
from bench.turns import BargeIn, Turn

COLUMNS = ("Pipecat 1.14", "LiveKit Agents 1.8.9", "Open-LLM-VTuber 1.2.1")
"""Measured with mock engines of the same speeds and the same replies; LiveKit's tuned figures in brackets."""

STALL_HEARD_MS = 1.0
"""A gap of less is a late timer, not something a listener could hear."""


@dataclass(slots=True)
class Measured:
    """Everything that was run. The first turn of each kind is a cold one."""

    natural: list[Turn] = field(default_factory=list)
    eager: list[Turn] = field(default_factory=list)
    slow: list[Turn] = field(default_factory=list)  # natural cuts, a voice at twice real time
    barge_ins: list[BargeIn] = field(default_factory=list)


def report(measured: Measured) -> Report:
    """Figures and table."""
    natural, eager, slow = (_warm(turns) for turns in (measured.natural, measured.eager, measured.slow))
    figures = _ratios(natural, eager) | _slow(natural, slow) | _costs(natural, eager)
    figures |= {
        "cold_overhead_ms": p50(
            [turns[0].split.added_ms for turns in (measured.natural, measured.eager, measured.slow)]
        )
    }
    figures |= _barge_ins(measured.barge_ins)
    figures |= {
        "natural_turns": len(measured.natural),
        "eager_turns": len(measured.eager),
        "slow_voice_turns": len(measured.slow),
        "barge_ins": len(measured.barge_ins),
    }
    return Report({name: _rounded(value) for name, value in figures.items()}, LINES, COLUMNS)


def _warm(turns: list[Turn]) -> list[Turn]:
    return turns[1:] or turns


def _ratios(natural: list[Turn], eager: list[Turn]) -> dict[str, float]:
    sentence = [turn.split.sentence_ratio for turn in natural]
    clause = [turn.split.clause_ratio for turn in eager]
    return {
        "natural_ratio_to_sentence_limit_p50": p50(sentence),
        "natural_ratio_to_sentence_limit_p95": p95(sentence),
        "natural_total_ms_p50": p50([turn.split.total_ms for turn in natural]),
        "eager_ratio_to_clause_limit_p50": p50(clause),
        "eager_ratio_to_clause_limit_p95": p95(clause),
        "eager_total_ms_p50": p50([turn.split.total_ms for turn in eager]),
    }


def _slow(natural: list[Turn], slow: list[Turn]) -> dict[str, float]:
    """The slow voice against the fast one, on the replies that both spoke."""
    fast = {turn.number: turn.split.total_ms for turn in natural}
    pairs = [turn.split.total_ms / fast[turn.number] for turn in slow if turn.number in fast]
    return {
        "slow_voice_total_ms_p50": p50([turn.split.total_ms for turn in slow]),
        "slow_voice_ratio_to_fast_p50": p50(pairs or [0.0]),
        "slow_voice_stall_ms_p95": _stall(slow),
    }


def _costs(natural: list[Turn], eager: list[Turn]) -> dict[str, float]:
    both = natural + eager
    added = [turn.split.added_ms for turn in both]
    return {
        "toolkit_added_ms_p50": p50(added),
        "toolkit_added_ms_p95": p95(added),
        "overhead_with_lookahead_ms_p50": p50([turn.split.overhead_ms for turn in both]),
        "before_model_ms_p50": p50([turn.split.before_ms for turn in both]),
        "model_to_voice_ms_p50": p50([turn.split.between_ms - turn.split.lookahead_ms for turn in both]),
        "voice_to_listener_ms_p50": p50([turn.split.after_ms for turn in both]),
        "stall_ms_p95": _stall(both),
        "added_ms_drift_first_to_last": drift([turn.split.added_ms for turn in natural], tail=10),
    }


def _barge_ins(barge_ins: Sequence[BargeIn]) -> dict[str, float]:
    normal = p50([one.before.added_ms for one in barge_ins])
    cut = [one.new.added_ms for one in barge_ins]
    return {
        "barge_in_overhead_ms_p50": p50(cut),
        "barge_in_overhead_ms_p95": p95(cut),
        "barge_in_extra_ms_p50": p50(cut) - normal,
        "live_added_ms_p50": normal,
        "cancel_to_clear_ms_p50": p50([one.clear_ms for one in barge_ins]),
        "cancel_to_clear_ms_p95": p95([one.clear_ms for one in barge_ins]),
        "stale_audio_ms_max": max(one.stale_ms for one in barge_ins),
    }


def _stall(turns: list[Turn]) -> float:
    stall = p95([turn.stall_ms for turn in turns])
    return stall if stall >= STALL_HEARD_MS else 0.0


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else round(value, 3)


LINES = (
    Line(
        "natural cuts: text to first sound / sentence limit, p50",
        "natural_ratio_to_sentence_limit_p50",
        "<= 0.80",
        at_most(0.80),
        ("1.17", "1.13 (1.08)", "1.75"),
    ),
    Line(
        "eager cuts: text to first sound / clause limit, p50",
        "eager_ratio_to_clause_limit_p50",
        "<= 1.12",
        at_most(1.12),
        ("2.30", "2.20 (2.12)", "2.54"),
    ),
    Line("the same, p95", "eager_ratio_to_clause_limit_p95", "<= 1.20", at_most(1.20)),
    Line("slow voice: total, ms p50", "slow_voice_total_ms_p50", "", None, ("745", "554", "1905")),
    Line("slow voice / fast voice", "slow_voice_ratio_to_fast_p50", "<= 1.10", at_most(1.10)),
    Line("slow voice: silence in an answer, ms p95", "slow_voice_stall_ms_p95", "0", at_most(0), ("0", "0", "1333")),
    Line("first turn after start: overhead, ms", "cold_overhead_ms", "<= 30", at_most(30), ("134", "83", "874")),
    Line(
        "interruption + new line: over a normal turn, ms p50",
        "barge_in_extra_ms_p50",
        "<= 15",
        at_most(15),
        ("+11", "+10", "+77"),
    ),
    Line("interruption: listener silent after, ms p95", "cancel_to_clear_ms_p95", "<= 60", at_most(60)),
    Line("interruption: stale sound, ms max", "stale_audio_ms_max", "0", at_most(0)),
    Line(
        "added by the toolkit, ms p50", "toolkit_added_ms_p50", "<= 10", at_most(10), ("83", "66 (41)", "327")
    ),
    Line("the same, p95", "toolkit_added_ms_p95", "<= 25", at_most(25)),
    Line("the same, last ten turns minus first ten, ms", "added_ms_drift_first_to_last", "flat: <= 2", at_most(2)),
    Line("silence in an answer, ms p95", "stall_ms_p95", "0", at_most(0), ("0", "0", "279")),
)  # fmt: skip
