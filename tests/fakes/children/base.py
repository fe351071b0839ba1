"""What the children share."""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

BEAT_S = 0.05


def beat(*, ready: bool = True, state: str = "ok", reason: str = "") -> None:
    """One heartbeat."""
    sys.stdout.write(json.dumps({"ready": ready, "state": state, "reason": reason}) + "\n")
    sys.stdout.flush()


def note(event: str, **values: Any) -> None:
    """One log line."""
    sys.stderr.write(json.dumps({"level": "INFO", "event": event, **values}) + "\n")
    sys.stderr.flush()


def beat_forever() -> None:
    """Heartbeats from a thread."""

    def run() -> None:
        while True:
            beat()
            time.sleep(BEAT_S)

    threading.Thread(target=run, daemon=True).start()


def obey(on_order: Callable[[dict[str, Any]], None] = lambda order: None) -> None:
    """Follow orders until one says stop, or stdin ends."""
    for line in sys.stdin:
        order = json.loads(line)
        note("order", verb=order["verb"], order=order)
        if order["verb"] == "stop":
            break
        on_order(order)
    note("bye")
