"""The show itself: what runs, and whether its ports are free."""

import socket
import sys
from collections.abc import Sequence

from kitsu.config import NetworkSettings, load
from kitsu_cli.doctor.finding import Check, Finding
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.running import doors

PORTS = ("orchestrator", "launcher", "control")
TIMEOUT_S = 1.5


def services() -> Sequence[Finding]:
    """What the launcher says."""
    try:
        rows = doors().launcher.get("/status", timeout_s=TIMEOUT_S)["services"]
        bad = [f"{row['name']} is {row['state']}" for row in rows if not row["ready"]]
    except VerbError as error:
        idle = error.exit_code is Exit.NOT_RUNNING
        return [
            Finding(
                "services", "off" if idle else "broken", error.message.removesuffix(" Run: kitsu start"), "kitsu start"
            )
        ]
    except (KeyError, TypeError):
        return [Finding("services", "broken", "what answers is not Kitsu's launcher", "see the ports below")]
    return [
        Finding("services", "broken" if bad else "ok", "; ".join(bad) or f"{len(rows)} healthy", "kitsu logs says why")
    ]


def port_of(name: str) -> Check:
    """A check whether `name` has its port, or could have it."""

    def check() -> Sequence[Finding]:
        network = load("network", NetworkSettings)
        return [_port(name, network.host, getattr(network, f"{name}_port"))]

    return check


def _port(name: str, host: str, port: int) -> Finding:
    check = f"port {port}"
    try:
        door = getattr(doors(), name)
        if door.url.endswith(f":{port}") and door.get("/healthz", timeout_s=TIMEOUT_S):
            return Finding(check, "ok", f"{name} answers")
    except VerbError:
        pass
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            do = f"end that program, or set network.{name}_port"
            return Finding(check, "broken", f"{error.strerror}: {name} wants it", do)
    return Finding(check, "ok", f"free, for {name}")
