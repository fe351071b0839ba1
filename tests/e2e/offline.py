"""Runs a show where nothing but this machine's own loopback can be reached, and says as JSON how it went.

    unshare -rn python -m tests.e2e.offline HOME none|silent

`none`: there is no route, every look-up fails at once. `silent`: there is one, and nothing ever answers on it, so that
whatever looks up a name or connects waits until it gives up.
"""

import errno
import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.e2e.launched import LaunchedShow, launched

OWN_OLLAMA = "http://127.0.0.1:11434"  # the default: here nobody answers there
CANNOT = 77
SILENT_ROUTE = (
    "ip link add silent type veth peer name away",
    "ip addr add 192.0.2.1/24 dev silent",
    "ip link set silent up",
    "ip link set away up",
    "ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev silent nud permanent",
    "ip route add default via 192.0.2.2",
)
NOBODY = ("198.51.100.7", 80)


def main(root: Path, network: str) -> int:
    loopback_up()
    if network == "silent" and not silent_route():
        return CANNOT
    began = time.perf_counter()
    with launched(root, KITSU__POLICY__OLLAMA_URL=OWN_OLLAMA) as show:
        went = {"start_s": time.perf_counter() - began, "outside": outside(), **told(show)}
        sys.stdout.write(json.dumps(went))
    return 0


def told(show: LaunchedShow) -> dict[str, Any]:
    """What a show says of itself, and how it answers a line."""
    began = time.perf_counter()
    chat = show.kitsu("chat", "hello, who are you?", "--json")
    chat_s = time.perf_counter() - began
    show.wait_ready()
    status = json.loads(show.kitsu("status", "--json").stdout)
    began = time.perf_counter()
    show.kitsu("doctor", "--json")
    return {
        "chat": json.loads(chat.stdout or "{}") | {"stderr": chat.stderr},
        "chat_s": chat_s,
        "doctor_s": time.perf_counter() - began,
        "processes": {row["name"]: row["state"] for row in status["launcher"]["services"]},
        "roles": {row["role"]: row.get("state") for row in status["show"]["services"]},
        "restarts": sum(row["restarts"] for row in status["launcher"]["services"]),
    }


def outside() -> str:
    """What becomes of a connection to somewhere else: ENETUNREACH at once, or EAGAIN when the wait is over."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return errno.errorcode.get(probe.connect_ex(NOBODY), "connected")


def loopback_up() -> None:
    """As `ip link set lo up`, which not every system has."""
    import fcntl

    with socket.socket() as any_socket:
        flags = struct.pack("16sh", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, flags)  # SIOCSIFFLAGS


def silent_route() -> bool:
    """Send everything where nobody is. False: this system cannot."""
    try:
        for command in SILENT_ROUTE:
            subprocess.run(command.split(), check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
