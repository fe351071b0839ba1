"""`kitsu device [NAME|default|none]`: which sound device plays, and another one at once."""

from argparse import Namespace
from typing import Any

from kitsu_cli import screen
from kitsu_cli.exits import Exit
from kitsu_cli.running import doors

OPENING_S = 15.0


def run(arguments: Namespace) -> int:
    """Say what there is and what plays, or play on another one."""
    orchestrator = doors().orchestrator
    if arguments.name:
        answer = orchestrator.post("/control/device", {"device": arguments.name}, timeout_s=OPENING_S)
        if arguments.json:
            screen.write_json(answer)
        else:
            print(_said(answer["device"]))
        return Exit.OK
    found: dict[str, Any] = orchestrator.get("/devices", timeout_s=OPENING_S)
    if arguments.json:
        screen.write_json(found)
        return Exit.OK
    screen.write(_lines(found))
    print("* plays. Another one: kitsu device NAME, default or none   A tone: kitsu devices --test NAME")
    return Exit.OK


def _said(device: str) -> str:
    if not device:
        return "Kitsu plays on overlay and pages only."
    where = "the system's default sound device" if device == "default" else screen.plain(device)
    return f"Kitsu plays on {where} from now on; overlay and pages are silent, and show captions."


def _lines(found: dict[str, Any]) -> list[screen.Line]:
    names = [*found["there"]]
    chosen = found["playing"] or found["chosen"]
    if chosen and chosen != "default" and chosen not in names:
        names.append(chosen)
    rows = [(name, name + (" (the system's default)" if name == found["default"] else "")) for name in names]
    rows.append(("", "none: overlay and pages"))
    lines: list[screen.Line] = [
        [(screen.fit(("* " if name == found["playing"] else "  ") + text, screen.WIDTH).rstrip(), "")]
        for name, text in rows
    ]
    if found["trouble"]:
        lines += [[(line, "bold")] for line in screen.wrap(f"! {found['trouble']}", screen.WIDTH)]
    return lines
