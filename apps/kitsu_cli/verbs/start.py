"""`kitsu start`: everything up and healthy, then what runs, what is missing, and where to go."""

import time
from argparse import Namespace
from typing import Any

from kitsu.config import Home, home, is_wanted, load_all
from kitsu.services import SERVICES
from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.hints import hints
from kitsu_cli.launching import Launched, last_words, launch
from kitsu_cli.rest import Door
from kitsu_cli.running import doors
from kitsu_cli.tables import service_table
from kitsu_cli.verbs.open import sign_in_link

POLL_S = 0.04
STILL = ("starting", "waiting", "stopping")
TRIES = 3  # a service that dies so often while we wait will not come up


def run(arguments: Namespace) -> int:
    """Start what does not run; a second start repairs and changes nothing else."""
    code = bring_up(arguments)
    if code is Exit.OK and not arguments.json and not arguments.foreground:
        from kitsu_cli.first_run.offering import offer_once

        offer_once(home())
    return code


def bring_up(arguments: Namespace) -> Exit:
    """Start, wait, say what runs; with `foreground`, stay.

    Raises:
        VerbError, ConfigError.
    """
    load_all()
    where = home()
    where.make()
    launched = None if running_launcher() else launch(where, arguments.services, attached=arguments.foreground)
    launcher = doors().launcher
    if launched is None or launched.other_runs:
        revive(launcher, arguments.services)
    status = until_settled(launcher, arguments, where, launched)
    code = Exit.OK if status["ready"] and not broken(status) else Exit.NOT_STARTED
    report(status, arguments)
    if arguments.foreground and launched is not None:
        from kitsu_cli.foreground import stay

        return stay(where, launched.process)
    return code


def running_launcher() -> Door | None:
    """The launcher of this home, if one answers."""
    try:
        launcher = doors().launcher
        launcher.get("/status", timeout_s=2.0)
    except VerbError as error:
        if error.exit_code is Exit.NOT_RUNNING:
            return None
        if error.code in ("bad_token", "bad_answer", "not_found", "bad_host"):
            return None  # somebody else's port: the new launcher says whose
        raise
    return launcher


def revive(launcher: Door, names: list[str]) -> None:
    """Start every service that is wanted and does not run (or those named)."""
    for service in launcher.get("/status", timeout_s=10.0)["services"]:
        chosen = service["name"] in names if names else _is_wanted(service["name"])
        if chosen and service["state"] in ("off", "stopped", "failed") and service["pid"] is None:
            launcher.post(f"/services/{service['name']}/start")
    for name in names:
        launcher.post(f"/services/{name}/start")  # says so when there is no such service


def _is_wanted(name: str) -> bool:
    """By the settings as they are now; the launcher may know older ones."""
    return name not in SERVICES or is_wanted(SERVICES[name])


def until_settled(launcher: Door, arguments: Namespace, where: Home, launched: Launched | None) -> dict[str, Any]:
    """Wait until every service is ready or has failed; one line each as it comes up.

    Raises:
        VerbError: TIMEOUT, NOT_STARTED (the launcher died).
    """
    deadline = time.monotonic() + arguments.timeout
    seen: set[str] = set()
    status: dict[str, Any] = launcher.get("/status", timeout_s=10.0)
    before = {service["name"]: service["restarts"] for service in status["services"]}
    with screen.Steps("starting", len(status["services"]), quiet=arguments.json) as steps:
        while True:
            for service in status["services"]:
                if service["name"] not in seen and (service["ready"] or service["state"] == "failed"):
                    seen.add(service["name"])
                    steps.done(f"{service['name']} {service['state']}")
            if not any(pending(service) for service in status["services"]):
                return status
            if hopeless := [s for s in status["services"] if s["restarts"] - before[s["name"]] >= TRIES]:
                why = "; ".join(f"{service['name']} {service['reason']}" for service in hopeless)
                raise VerbError(Exit.NOT_STARTED, "service_dies", f"{why}. See: kitsu logs {hopeless[0]['name']}")
            if time.monotonic() > deadline:
                raise VerbError(Exit.TIMEOUT, "start_timeout", _overdue(status, arguments.timeout))
            if launched and not launched.other_runs and launched.process.poll() is not None:
                message = f"The launcher ended while it started. {last_words(where.logs / 'launcher-start.log')}"
                raise VerbError(Exit.NOT_STARTED, "launcher_died", message.strip())
            time.sleep(POLL_S)
            status = launcher.get("/status", timeout_s=10.0)


def pending(service: dict[str, Any]) -> bool:
    """Still on its way."""
    return not service["ready"] and service["state"] in STILL


def broken(status: dict[str, Any]) -> list[dict[str, Any]]:
    """Services that failed."""
    return [service for service in status["services"] if service["state"] == "failed"]


def report(status: dict[str, Any], arguments: Namespace) -> None:
    """What runs, what is not configured and how to, where to go."""
    try:
        link = sign_in_link(doors().control)
    except VerbError:
        link = ""
    if arguments.json:
        screen.write_json({"ready": status["ready"], "services": status["services"], "url": link, "hints": hints()})
        return
    lines: list[screen.Line] = [*service_table(status["services"]), []]
    lines += [[("not configured  ", "bright_black"), (hint, "")] for hint in hints()]
    if link:
        lines += [
            [],
            [("open  ", "bold"), (link, "")],
            [("      the link signs in one browser, within 10 minutes", "")],
        ]
        lines.append([("      another one: kitsu open", "")])
    screen.write(lines)


def _overdue(status: dict[str, Any], timeout_s: float) -> str:
    late = "; ".join(f"{s['name']} ({s['reason'] or s['state']})" for s in status["services"] if pending(s))
    return f"Not ready after {timeout_s:g} s: {late}. See: kitsu logs"
