"""`kitsu why TURN`: line by line, why something was said, changed, held or dropped."""

from argparse import Namespace
from typing import Any
from urllib.parse import quote

from kitsu_cli import screen
from kitsu_cli.exits import Exit
from kitsu_cli.running import doors
from kitsu_cli.screen import WIDTH, Line

SIGNS = {"allow": ("✓", "green"), "careful": ("!", "yellow"), "hold": ("…", "yellow")}
BLOCKED = ("✗", "bold red")
SHOWN = {"question": "line", "author": "name", "speech": "speech"}


def run(arguments: Namespace) -> int:
    """Ask the orchestrator and print it."""
    told = doors().orchestrator.get(f"/turns/{quote(arguments.turn, safe='')}/why", timeout_s=5.0)
    if arguments.json:
        screen.write_json(told)
        return Exit.OK
    screen.write([[(screen.fit(_ended(told), WIDTH).rstrip(), "bold")]])
    for verdict in told.get("verdicts", []):
        screen.write(_lines(verdict))
    if not told.get("verdicts"):
        print("The gate was not asked: the line was dropped before, or waits.")
    return Exit.OK


def _ended(told: dict[str, Any]) -> str:
    outcome = told.get("outcome")
    end = f"{outcome}, {told.get('reason', '')}" if outcome else "has not ended yet"
    return f"turn {told.get('turn_id')}: {end}"


def _lines(verdict: dict[str, Any]) -> list[Line]:
    sign, style = SIGNS.get(str(verdict.get("action")), BLOCKED)
    surface = SHOWN.get(str(verdict.get("surface")), str(verdict.get("surface")))
    head = (
        f"{sign} {screen.fit(surface, 8)}{screen.fit(str(verdict.get('action')), 9)}{verdict.get('ms', 0):>7.2f} ms  "
    )
    because = screen.wrap(str(verdict.get("because", "")), WIDTH - len(head))
    lines: list[Line] = [[(head, style), (because[0], "")]]
    lines += [[(" " * len(head) + part, "")] for part in because[1:]]
    if verdict.get("text"):
        lines += [[(f"    {part}", "bright_black")] for part in screen.wrap(str(verdict["text"]), WIDTH - 4)]
    if verdict.get("found"):
        lines.append([(screen.fit(f"    found: {verdict['found']} (view {verdict.get('view')})", WIDTH).rstrip(), "")])
    return lines
