"""`kitsu obs status|scene|preset|text|reset|restore|setup`: OBS Studio, through the show that runs."""

from argparse import Namespace
from typing import Any

from kitsu_cli import screen
from kitsu_cli.asking import somebody_there, yes
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.rest import Door
from kitsu_cli.running import Doors, doors

ORDER_S = 12.0
SIGNS = {"done": "✓", "already": "·", "planned": "+", "skipped": "-", "unproven": "?", "failed": "✗"}
BODIES = {"scene": "scene", "preset": "preset"}  # what NAME is called in the request


def run(arguments: Namespace) -> int:
    """Give the order and say what OBS itself said."""
    found = doors()
    match arguments.what:
        case "status":
            return _status(found.orchestrator, as_json=arguments.json)
        case "setup":
            return _set_up(found, arguments)
        case "scene" | "preset":
            if not arguments.name:
                _list(found.orchestrator, arguments)
                return Exit.OK
            body = {BODIES[arguments.what]: arguments.name}
        case _:
            body = {}
    answer = found.orchestrator.post(f"/obs/{arguments.what}", body, timeout_s=ORDER_S)
    _say(answer, arguments.what, as_json=arguments.json)
    return Exit.OK


def _say(answer: dict[str, Any], what: str, *, as_json: bool) -> None:
    if as_json:
        screen.write_json(answer)
        return
    if not answer["steps"]:
        print({"reset": "A new connection to OBS is being made.", "restore": "OBS goes back."}.get(what, "Done."))
    screen.write(_step(step) for step in answer["steps"])


def _step(step: dict[str, Any]) -> screen.Line:
    sign = SIGNS.get(step["state"], "?")
    how = f"{step['confirmed_by']} after {step['ms']:.0f} ms" if step["ms"] else step["confirmed_by"] or step["detail"]
    colour = {"done": "green", "failed": "bold red"}.get(step["state"], "")
    return [(f"  {sign} ", colour), (f"{screen.plain(step['step'])}  ", ""), (screen.plain(how), "bright_black")]


def _status(door: Door, *, as_json: bool) -> int:
    state = door.get("/obs")
    if as_json:
        screen.write_json(state)
    else:
        screen.write(lines(state))
    return Exit.OK if state.get("connected") else Exit.NO


def lines(state: dict[str, Any]) -> list[screen.Line]:
    """OBS for people."""
    if not state.get("connected"):
        return [[("✗ ", "bold red"), (screen.plain(str(state.get("reason") or "OBS is not connected")), "")]]
    head = ("OBS      ", "bright_black")
    out = [word if state.get(word) else f"not {word}" for word in ("recording", "streaming")]
    rows: list[screen.Line] = [[head, (f"{state.get('version', '')}; {', '.join(out)}", "")]]
    if state.get("reason"):
        rows.append([("         ", ""), (f"! {screen.plain(str(state['reason']))}", "bold yellow")])
    rows += [
        [("scene    ", "bright_black"), ("● " if one == state.get("scene") else "  ", "green"), (screen.plain(one), "")]
        for one in state.get("scenes", [])
    ]
    rows += [
        [("sound    ", "bright_black"), (f"{'⊘' if one['muted'] else '♪'} {screen.plain(one['name'])}", "")]
        for one in state.get("inputs", [])
    ]
    names = ", ".join(one["name"] for one in state.get("presets", []))
    return [*rows, [("presets  ", "bright_black"), (names or "none; configs/obs.yaml", "")]]


def _list(door: Door, arguments: Namespace) -> None:
    state = door.get("/obs")
    names = state.get("scenes", []) if arguments.what == "scene" else [one["name"] for one in state.get("presets", [])]
    if arguments.json:
        screen.write_json({f"{arguments.what}s": names})
        return
    for name in names:
        print(("* " if name == state.get("scene") else "  ") + screen.plain(name))


def _set_up(found: Doors, arguments: Namespace) -> int:
    """Show the plan, ask, do it."""
    url = _overlay_url(found.control)
    plan = found.orchestrator.post("/obs/setup", {"overlay_url": url}, timeout_s=ORDER_S)
    todo = [step for step in plan["steps"] if step["state"] == "planned"]
    if arguments.dry_run or not todo:
        _say(plan, "setup", as_json=arguments.json)
        if not todo and not arguments.json:
            print("OBS has everything that Kitsu needs.")
        return Exit.OK
    if not arguments.yes:
        if arguments.json or not somebody_there():
            raise VerbError(Exit.USAGE, "not_agreed", "Nobody can be asked here. To agree: kitsu obs setup --yes")
        print("In your OBS, Kitsu would make what has a +:")
        _say(plan, "setup", as_json=False)
        if not yes("Do it?"):
            print("Nothing was changed.")
            return Exit.NO
    made = found.orchestrator.post("/obs/setup", {"overlay_url": url, "apply": True}, timeout_s=ORDER_S)
    _say(made, "setup", as_json=arguments.json)
    return Exit.NO if any(step["state"] == "failed" for step in made["steps"]) else Exit.OK


def _overlay_url(control: Door) -> str:
    """The overlay's address with its key; empty when the pages' door is not there: then no overlay is made."""
    try:
        return str(control.get("/auth/overlay-key")["url"])
    except (VerbError, KeyError, TypeError):
        return ""
