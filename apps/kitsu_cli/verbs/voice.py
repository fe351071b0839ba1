"""`kitsu voice [ENGINE[/VOICE]]`: who can speak, and who does."""

from argparse import Namespace
from typing import Any

from kitsu_cli import screen
from kitsu_cli.exits import Exit
from kitsu_cli.running import doors

LOADING_S = 65.0


def run(arguments: Namespace) -> int:
    """Say which voices there are, or switch to one."""
    orchestrator = doors().orchestrator
    if arguments.choice:
        engine, _, voice = arguments.choice.partition("/")
        answer = orchestrator.post("/voice", {"engine": engine, "voice": voice}, timeout_s=LOADING_S)
        if arguments.json:
            screen.write_json(answer)
        else:
            print(f"Kitsu speaks with {arguments.choice} from her next words on.")
        return Exit.OK
    services = orchestrator.get("/status").get("services", [])
    skills: dict[str, Any] = next((row.get("capabilities", {}) for row in services if row.get("role") == "tts"), {})
    if arguments.json:
        screen.write_json({"engine": skills.get("engine", ""), "voices": skills.get("voices", [])})
        return Exit.OK
    for choice in skills.get("voices", []):
        print(("* " if choice.partition("/")[0] == skills.get("engine") else "  ") + str(choice))
    print("Another one: kitsu voice ENGINE/VOICE   More natural ones: kitsu download list")
    return Exit.OK
