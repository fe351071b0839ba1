"""`kitsu safety test FILE`: the rules, your own words and the vote (if it is on) on rows with a known right answer."""

import asyncio
import secrets
from argparse import Namespace
from pathlib import Path

from kitsu.config import SafetySettings, home, load
from kitsu.protocol.approved import SEAL_KEY_BYTES
from kitsu.safety import Gate, Judge, load_rulebook
from kitsu.safety.own import read_own
from kitsu.safety.scoring import Score, Tally, read_rows, score
from kitsu_cli import screen
from kitsu_cli.exits import Exit

_NAME, _SHARE = 44, 12


def run(arguments: Namespace) -> int:
    """Score the rows; nothing needs to run for it. Misses and false alarms are figures, not failures."""
    rows = read_rows(Path(arguments.file))
    result = asyncio.run(score(_gate(), rows))
    if arguments.json:
        screen.write_json(result.figures())
    else:
        screen.write(_lines(result))
    return Exit.OK


def _gate() -> Judge:
    settings, where = load("safety", SafetySettings), home()
    book = load_rulebook(where.configs / "safety", family_mode=settings.family_mode, levels=settings.level_of)
    own, key = read_own(where.own_words_file), secrets.token_bytes(SEAL_KEY_BYTES)
    gate = Gate(own.applied_to(book.rules), key, actions=book.actions, budget_ms=settings.budget_ms)
    if not settings.vote:
        return gate
    from kitsu.safety.vote import LinearVote, VotedGate  # slow to load, and off as a rule

    vote = LinearVote(settings.vote_from)
    vote.load()
    return VotedGate(gate, vote, lambda: (book.milder.with_allowed(own.allowed), book.actions))


def _lines(result: Score) -> list[screen.Line]:
    figures = result.figures()
    lines: list[screen.Line] = []
    for title, tallies in (("by category", result.categories), ("by technique", result.techniques)):
        lines.append([(f"{title:<{_NAME}}{'right':<{_SHARE}}", "bright_black")])
        lines += [_row(name, tally) for name, tally in sorted(tallies.items())]
    for title, ids in (("misses", result.misses), ("false alarms", result.false_alarms)):
        lines.append([(f"{title}: {len(ids)}  ", "bold"), (" ".join(map(screen.plain, ids)), "")])
    lines.append([(f"{figures['rows']} rows, {figures['p50_ms']} ms p50, {figures['p99_ms']} ms p99", "bold")])
    return lines


def _row(name: str, tally: Tally) -> screen.Line:
    style = "" if not tally.wrong else "yellow"
    return [(f"{screen.plain(name):<{_NAME}}{tally.rows - tally.wrong} of {tally.rows}", style)]
