"""`kitsu chat`: a line in, the finished turn out, as one JSON object."""

from argparse import Namespace
from typing import Any

from kitsu_cli.turn import take_turn


def run(arguments: Namespace) -> int:
    """Send the line and wait for the turn's end."""
    body: dict[str, Any] = {"text": arguments.text}
    body |= {key: value for key in ("author", "role", "conv") if (value := getattr(arguments, key)) is not None}
    return take_turn("/chat", body, arguments)
