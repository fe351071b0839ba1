"""Everything about now, for `GET /status`."""

from importlib.metadata import version
from typing import Any

import msgspec

from kitsu.protocol import ShowLevels
from kitsu_orchestrator.launcher import Launcher
from kitsu_orchestrator.show import Show


async def status(show: Show, launcher: Launcher) -> dict[str, Any]:
    """The snapshot that pages get, and what only operators ask for."""
    snapshot: dict[str, Any] = msgspec.to_builtins(show.snapshot())
    return {
        "version": version("kitsu"),
        "levels": levels_json(show.levels.now),
        "character": show.studio.character.name,
        "services": snapshot.get("services", []),
        "sinks": snapshot.get("sinks", []),
        "device": msgspec.structs.asdict(show.device_choice.now),
        "listening": any(sink.elected for sink in show.services.sinks),  # blocked ones are not elected
        "current": snapshot.get("current", []),
        "waiting": snapshot.get("waiting", 0),
        "dropped": dict(show.intake.dropped),
        "confirmed": snapshot.get("confirmed", []),
        "obs": snapshot.get("obs"),
        "ears": ears_json(show),
        "queues": {
            "store": msgspec.to_builtins(show.store.state()),
            "verdicts": msgspec.to_builtins(show.store.verdict_state()),
        },
        "store_error": show.store.failed,
        "safety": show.safety_state(),
        "launcher": await launcher.status(),
    }


def levels_json(now: ShowLevels) -> dict[str, Any]:
    """The levels, defaults too."""
    levels: dict[str, Any] = msgspec.to_builtins(now)
    return {"mode": "standby", "muted": False, "volume": 100, "topics": True, "panic": None, **levels}


def ears_json(show: Show) -> dict[str, Any]:
    """The ears, and what came of what they heard."""
    state = show.talk.state
    return {
        "running": state is not None,
        "state": msgspec.to_builtins(state) if state is not None else None,
        "counts": dict(show.talk.counts),
        "latency_ms": show.talk.latency_ms(),
    }
