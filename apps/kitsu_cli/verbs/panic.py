"""`kitsu panic`: both paths at once, done within 200 ms of its start."""

import secrets
import threading
import time
from argparse import Namespace
from queue import Empty, Queue
from typing import Any

from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.rest import Door
from kitsu_cli.running import doors

ENOUGH_S = 0.06  # with one path's word we do not wait longer for the other's
PATIENCE_S = 2.0  # without any word at all we wait this long


def run(arguments: Namespace) -> int:
    """Press the button."""
    began = time.perf_counter()
    panic = {"panic_id": secrets.token_hex(8), "pressed_at": time.time_ns() // 1000, "by": "cli"}
    found = doors()
    answers = press(
        panic, {"orchestrator": (found.orchestrator, "/control/panic"), "launcher": (found.launcher, "/panic")}
    )
    took_ms = round((time.perf_counter() - began) * 1000, 1)
    report = {"panic_id": panic["panic_id"], "took_ms": took_ms, **summary(answers)}
    if arguments.json:
        screen.write_json(report)
    else:
        screen.write(words(report))
    return exit_code(report)


def press(panic: dict[str, Any], paths: dict[str, tuple[Door, str]]) -> dict[str, Any]:
    """Tell every path at the same time; what each answered (or the error) as far as it came in time."""
    heard: Queue[tuple[str, Any]] = Queue()

    def tell(name: str, door: Door, path: str) -> None:
        try:
            heard.put((name, door.post(path, panic, timeout_s=PATIENCE_S)))
        except VerbError as error:
            heard.put((name, error))

    began = time.perf_counter()
    for name, (door, path) in paths.items():
        threading.Thread(target=tell, args=(name, door, path), daemon=True).start()
    answers: dict[str, Any] = {}
    while len(answers) < len(paths):
        taken = any(isinstance(answer, dict) for answer in answers.values())
        left = (ENOUGH_S if taken else PATIENCE_S) - (time.perf_counter() - began)
        try:
            name, answer = heard.get(timeout=max(left, 0.001))
        except Empty:
            break
        answers[name] = answer
    return answers


def summary(answers: dict[str, Any]) -> dict[str, Any]:
    """What both paths said, as one object."""
    hub, launcher = answers.get("orchestrator"), answers.get("launcher")
    return {
        "orchestrator": _state(hub),
        "launcher": _state(launcher),
        "playout_ordered": isinstance(launcher, dict) and bool(launcher.get("ordered")),
        "exits": hub.get("exits", []) if isinstance(hub, dict) else [],
    }


def _state(answer: Any) -> str:
    match answer:
        case None:
            return "no answer yet"
        case VerbError():
            return "not running" if answer.exit_code is Exit.NOT_RUNNING else answer.message
        case _:
            return "took the order"


def exit_code(report: dict[str, Any]) -> Exit:
    """0 only when somebody took the order and no exit failed to confirm."""
    if "took the order" not in (report["orchestrator"], report["launcher"]):
        silent = report["orchestrator"] == report["launcher"] == "not running"
        return Exit.NOT_RUNNING if silent else Exit.TIMEOUT
    return Exit.NO if any(row.get("state") != "confirmed" for row in report["exits"]) else Exit.OK


def words(report: dict[str, Any]) -> list[screen.Line]:
    """The same for people."""
    code = exit_code(report)
    if code is Exit.NOT_RUNNING:
        return [[("Kitsu does not run: there is nothing to silence.", "")]]
    title = (
        "PANIC. Kitsu is silent until: kitsu resume"
        if code is Exit.OK
        else "PANIC pressed, but not confirmed everywhere."
    )
    lines: list[screen.Line] = [[(title, "bold" if code is Exit.OK else "bold red")]]
    for row in report["exits"]:
        sure = row.get("state") == "confirmed"
        text = f"{row.get('latency_ms', 0.0):.0f} ms  {row.get('detail', '')}" if sure else "no confirmation"
        lines.append(
            [("  ✓ " if sure else "  ✗ ", "green" if sure else "bold red"), (f"{row.get('exit')}  {text}", "")]
        )
    lines += [[(f"  {name}: {report[name]}", "")] for name in ("orchestrator", "launcher")]
    return lines
