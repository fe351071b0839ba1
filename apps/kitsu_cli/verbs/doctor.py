"""`kitsu doctor`: what is wrong with this installation, and what helps."""

from argparse import Namespace
from dataclasses import asdict

from kitsu_cli import screen
from kitsu_cli.checks import Finding, findings
from kitsu_cli.exits import Exit


def run(arguments: Namespace) -> int:
    """Look at everything; 0 when nothing failed."""
    rows = list(findings())
    failed = [row.check for row in rows if row.state == "failed"]
    if arguments.json:
        screen.write_json({"ok": not failed, "checks": [asdict(row) for row in rows]})
    else:
        screen.write(line for row in rows for line in _lines(row))
    return Exit.NO if failed else Exit.OK


def _lines(row: Finding) -> list[screen.Line]:
    first: screen.Line = [(screen.fit(row.check, 12), ""), screen.state_piece(row.state), (row.found, "")]
    if row.state == "ok" or not row.do:
        return [first]
    return [first, [(" " * 24 + row.do, "bright_black")]]
