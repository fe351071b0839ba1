"""`kitsu say`: the operator's own words, as one JSON object once they were spoken."""

from argparse import Namespace
from typing import Any

from kitsu_cli.turn import take_turn


def run(arguments: Namespace) -> int:
    """Send the words and wait for the turn's end."""
    body: dict[str, Any] = {"text": arguments.text, "now": arguments.now}
    if arguments.conv is not None:
        body["conv"] = arguments.conv
    return take_turn("/say", body, arguments)
