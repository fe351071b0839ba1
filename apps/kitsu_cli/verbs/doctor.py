"""`kitsu doctor`: how this installation is, and what helps."""

from argparse import Namespace
from collections.abc import Iterator
from dataclasses import asdict

from kitsu_cli import screen
from kitsu_cli.doctor import Finding, findings
from kitsu_cli.exits import Exit

_CHECK, _STATE = 14, 12
_HALF = (screen.WIDTH - _CHECK - _STATE) // 2


def run(arguments: Namespace) -> int:
    """Look at everything; 0 when nothing is broken."""
    rows = findings()
    broken = [row.check for row in rows if row.state == "broken"]
    if arguments.json:
        screen.write_json({"ok": not broken, "checks": [asdict(row) for row in rows]})
    else:
        screen.write(table(rows))
        screen.write([[], [(_summary(broken), "bold red" if broken else "bold")]])
    return Exit.NO if broken else Exit.OK


def table(rows: list[Finding]) -> Iterator[screen.Line]:
    """Each check with its state, what was found and, beside it, what helps."""
    yield [("check".ljust(_CHECK) + "state".ljust(_STATE) + "found".ljust(_HALF) + "what helps", "bright_black")]
    for row in rows:
        yield from _lines(row)


def _lines(row: Finding) -> Iterator[screen.Line]:
    helps = row.do if row.state != "ok" else ""
    left = screen.wrap(row.found, _HALF - 2 if helps else 2 * _HALF)
    right = screen.wrap(helps, _HALF)
    for number in range(max(len(left), len(right))):
        text = (left[number] if number < len(left) else "").ljust(_HALF)
        mend = right[number] if number < len(right) else ""
        head = (screen.fit(row.check, _CHECK), screen.state_piece(row.state)) if number == 0 else (" " * _CHECK, None)
        yield [
            (head[0], ""),
            head[1] or (" " * _STATE, ""),
            (text, ""),
            (mend, "bold" if row.state == "broken" else ""),
        ]


def _summary(broken: list[str]) -> str:
    if not broken:
        return "Nothing is broken. What is off is not needed by your settings."
    return screen.fit(f"Broken: {', '.join(broken)}. Begin at the top; later rows may follow from it.", screen.WIDTH)
