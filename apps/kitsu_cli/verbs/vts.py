"""`kitsu vts status|expr|reset`: the link to VTube Studio."""

from argparse import Namespace
from typing import Any

from kitsu_cli import screen
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.running import doors

CONFIRM_S = 6.0
RESET_S = 10.0
LINK = {
    "off": "not configured",
    "unreachable": "not connected",
    "asking": "waits for your click",
    "denied": "you said no",
    "connected": "connected",
}


def run(arguments: Namespace) -> int:
    """Say how the link is, show a face, or begin it anew."""
    orchestrator = doors().orchestrator
    match arguments.action:
        case "expr":
            if not arguments.word:
                raise VerbError(Exit.USAGE, "no_word", "Which face or gesture? kitsu vts expr smile")
            answer = orchestrator.post("/vts/expr", {"word": arguments.word}, timeout_s=CONFIRM_S)
            said = f"Done, confirmed by VTube Studio ({answer['confirmed_by']}) after {answer['latency_ms']:.0f} ms."
        case "reset":
            answer = orchestrator.post("/vts/reset", timeout_s=RESET_S)
            said = f"Connected again, with {answer['model'] or 'no model loaded'}."
        case _:
            answer = orchestrator.get("/vts")
            said = ""
    if arguments.json:
        screen.write_json(answer)
    elif said:
        print(screen.plain(said))
    else:
        screen.write(lines(answer))
    healthy = arguments.action != "status" or answer["link"] in ("connected", "off")
    return Exit.OK if healthy else Exit.NO


def lines(state: dict[str, Any]) -> list[screen.Line]:
    """The link for people."""
    head = " ".join(filter(None, ("VTube Studio", state["version"])))
    shown: list[screen.Line] = [[(f"{head}: {LINK.get(state['link'], state['link'])}", "bold")]]
    shown += [[(line, "")] for line in screen.wrap(state["reason"], screen.WIDTH) if state["reason"]]
    if state["model"]:
        face = state["wearing"] or "neutral"
        shown.append([(f"model {screen.plain(state['model'])}, face {face}", "")])
        width = max(map(len, state["words"]), default=0)
        shown += [[(f"  {word:<{width}}  {screen.plain(does)}", "")] for word, does in sorted(state["words"].items())]
    if state["missing"]:
        text = f"nothing found for: {', '.join(state['missing'])} (configs/vts.yaml says what is looked for)"
        shown += [[(line, "bright_black")] for line in screen.wrap(text, screen.WIDTH)]
    return shown
