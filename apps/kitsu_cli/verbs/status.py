"""`kitsu status`: what the launcher and the orchestrator say, also when only one of them can."""

import threading
from argparse import Namespace
from typing import Any

from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.rest import Door
from kitsu_cli.running import doors
from kitsu_cli.tables import service_table, show_lines

TIMEOUT_S = 2.5


def run(arguments: Namespace) -> int:
    """Print it; 0 when everything is healthy."""
    try:
        found = doors()
        launcher, show = ask_both(found.launcher, found.orchestrator)
    except VerbError as error:  # never started here
        launcher = show = error
    report = {
        "running": isinstance(launcher, dict),
        "healthy": healthy(launcher, show),
        "launcher": launcher if isinstance(launcher, dict) else None,
        "show": show if isinstance(show, dict) else None,
        "errors": sorted({error.message for error in (launcher, show) if isinstance(error, VerbError)}),
    }
    if arguments.json:
        screen.write_json(report)
    else:
        screen.write(lines(launcher, show))
    if not isinstance(launcher, dict) and not isinstance(show, dict):
        return Exit.NOT_RUNNING
    return Exit.OK if report["healthy"] else Exit.NO


def ask_both(*asked: Door) -> list[Any]:
    """Each door's `/status`, or the error; asked at the same time, so that a frozen one costs its time only once."""
    answers: list[Any] = [None] * len(asked)

    def ask(place: int, door: Door) -> None:
        try:
            answers[place] = door.get("/status", timeout_s=TIMEOUT_S)
        except VerbError as error:
            answers[place] = error

    threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(asked)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def healthy(launcher: Any, show: Any) -> bool:
    """Every process that is wanted is up, and every role is with the hub."""
    if not isinstance(launcher, dict) or not isinstance(show, dict):
        return False
    wanted = [service for service in launcher["services"] if service["state"] != "off"]
    up = all(service["ready"] and service["state"] in ("ok", "degraded") for service in wanted)
    return up and all(role.get("state") in ("ok", "degraded") for role in show.get("services", []))


def _note(role: Any) -> list[screen.Line]:
    """What is worth knowing about a role that is well: a demo brain, a voice that is not for commercial use."""
    note = str((role.get("capabilities") or {}).get("note", ""))
    if not note:
        return []
    first, *rest = screen.wrap(f"{role['role']}: {note}", screen.WIDTH - 2)
    return [[(first, "bright_black")], *([(f"  {line}", "bright_black")] for line in rest)]


def lines(launcher: Any, show: Any) -> list[screen.Line]:
    """For people."""
    if isinstance(launcher, VerbError) and isinstance(show, VerbError):
        return [[("Kitsu does not run. Start it: kitsu start", "")]]
    out: list[screen.Line] = []
    if isinstance(launcher, dict):
        out += service_table(launcher["services"])
    else:
        out.append([(f"✗ {launcher.message}", "bold red")])
    out.append([])
    if isinstance(show, dict):
        out += show_lines(show)
        out += [
            [(f"{role['role']}: ", "bold"), (screen.fit(str(role.get("reason", "")), 80).rstrip(), "")]
            for role in show.get("services", [])
            if role.get("state") != "ok"
        ]
        out += [line for role in show.get("services", []) for line in _note(role)]
    else:
        out.append([("✗ The orchestrator does not answer: Kitsu is silent. It comes back by itself.", "bold red")])
    if isinstance(launcher, dict):
        out += [[], [("open     ", "bright_black"), (f"{launcher['urls']['control']}  (sign in: kitsu open)", "")]]
    return out
