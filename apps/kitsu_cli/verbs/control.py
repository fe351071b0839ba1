"""`kitsu resume|mute|unmute|volume|skip|topics|live|standby`: one order to the orchestrator."""

from argparse import Namespace

from kitsu_cli import screen
from kitsu_cli.exits import Exit
from kitsu_cli.running import doors

SAID = {
    "resume": "The panic is over. Kitsu may speak again.",
    "mute": "Kitsu is muted. Viewers hear nothing.",
    "unmute": "Kitsu can be heard again.",
    "live": "Kitsu is live and answers the chat.",
    "standby": "Kitsu is in standby: only lines typed here or on the page are answered.",
}


def run(arguments: Namespace) -> int:
    """Give the order."""
    verb = arguments.verb
    body: dict[str, object] | None = {"conv": arguments.conv} if verb == "skip" and arguments.conv else None
    if verb == "volume":
        body = {"percent": arguments.percent}
    if verb == "topics":
        body = {"on": arguments.switch == "on"}
    answer = doors().orchestrator.post(f"/control/{verb}", body)
    if arguments.json:
        screen.write_json(answer)
    elif verb == "volume":
        print(f"Kitsu's volume is {arguments.percent} %.")
    elif verb == "topics":
        print("When chat is quiet, Kitsu " + ("begins something herself." if answer["topics"] else "stays quiet too."))
    elif verb == "skip":
        print("Skipped." if answer.get("skipped") else "There was nothing to skip.")
    else:
        print(SAID[verb])
    return Exit.OK
