"""`kitsu ears [status|mute|unmute|mode MODE|use DEVICE]`: what listens, and how."""

from argparse import Namespace
from typing import Any

from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.rest import Door
from kitsu_cli.running import doors
from kitsu_cli.tables import ears_times

LOOKING_S = 15.0
MODES = ("open", "push_to_talk", "wake_word", "off")
NOT_THERE = "The ears do not run. Switch them on: KITSU__ASR__ENABLED=true in .env, then kitsu restart."


def run(arguments: Namespace) -> int:
    """Say how they are, or give an order."""
    orchestrator = doors().orchestrator
    match arguments.what:
        case "status":
            return _status(orchestrator, as_json=arguments.json)
        case "mute" | "unmute":
            answer = orchestrator.post(f"/ears/{arguments.what}")
            said = "She hears nobody." if arguments.what == "mute" else "She listens."
        case "mode":
            if arguments.value not in MODES:
                raise VerbError(Exit.USAGE, "no_mode", f"Which mode? {', '.join(MODES)}")
            answer = orchestrator.post("/ears/mode", {"mode": arguments.value})
            said = f"The microphones of the stage listen so: {arguments.value}."
        case _:
            if not arguments.value:
                return _devices(orchestrator, as_json=arguments.json)
            answer = orchestrator.post("/ears/use", {"device": arguments.value}, timeout_s=LOOKING_S)
            said = f"She listens to {answer['device']}." if answer["device"] else "She listens to browsers only."
    if arguments.json:
        screen.write_json(answer)
    else:
        print(screen.plain(said))
    return Exit.OK


def _status(door: Door, *, as_json: bool) -> int:
    ears: dict[str, Any] = door.get("/ears")
    if as_json:
        screen.write_json(ears)
    else:
        screen.write(lines(ears))
    return Exit.OK if ears["running"] and not (ears["state"] or {}).get("trouble") else Exit.NO


def lines(ears: dict[str, Any]) -> list[screen.Line]:
    """The ears for people."""
    state = ears["state"] or {}
    if not ears["running"]:
        return [[("✗ ", "bold red"), (NOT_THERE, "")]]
    muted = ", muted" if state.get("muted") else ""
    rows: list[screen.Line] = [
        [("ears     ", "bright_black"), (f"{state.get('engine') or 'no engine'}{muted}", "bold")]
    ]
    if state.get("trouble"):
        rows += [
            [(f"! {line}", "bold yellow")] for line in screen.wrap(screen.plain(state["trouble"]), screen.WIDTH - 2)
        ]
    rows += [_source(source) for source in state.get("sources", [])]
    if not state.get("sources"):
        rows.append([("         ", ""), ("no microphone: kitsu ears use NAME, or open one in a browser", "")])
    counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(ears["counts"].items()))
    rows.append([("so far   ", "bright_black"), (screen.fit(counts or "nothing", screen.WIDTH - 9).rstrip(), "")])
    if times := ears_times(ears["latency_ms"]):
        rows.append([("times    ", "bright_black"), (times, "")])
    return rows


def _source(source: dict[str, Any]) -> screen.Line:
    sign, colour = {"listening": ("●", "green"), "lost": ("✗", "bold red")}.get(
        source.get("state", "listening"), ("○", "")
    )
    speaker = source.get("speaker") or {}
    who = speaker.get("name") or speaker.get("role", "host")
    text = f"{source.get('label') or source['source_id']}, {who}, {source.get('mode', 'open')}, to {source['conv']}"
    return [("         ", ""), (f"{sign} ", colour), (screen.fit(screen.plain(text), screen.WIDTH - 11).rstrip(), "")]


def _devices(door: Door, *, as_json: bool) -> int:
    found: dict[str, Any] = door.get("/ears/devices", timeout_s=LOOKING_S)
    if as_json:
        screen.write_json(found)
        return Exit.OK
    for name in found["there"]:
        own = " (the system's default)" if name == found["default"] else ""
        print(("* " if name == found["chosen"] else "  ") + screen.plain(name) + own)
    if found["trouble"]:
        print(f"! {screen.plain(found['trouble'])}")
    print("* listens. Another one: kitsu ears use NAME, default or none")
    return Exit.OK
