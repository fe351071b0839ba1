"""Ports: taken before anything starts, so that a busy one is a clear error and not a half-started show."""

import socket
import sys

import psutil

from kitsu.config import NetworkSettings
from kitsu.errors import KitsuError


class PortInUseError(KitsuError):
    """Somebody else listens where Kitsu should."""


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket.

    Raises:
        PortInUseError: `port_in_use`, with the setting that moves it and, where the system tells, who has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        owner = f" by {who}" if (who := holder(port)) else ""
        raise PortInUseError(
            "port_in_use",
            f"Port {port} on {host} cannot be had ({error.strerror}){owner and ': used' + owner}. "
            f"Stop that program, or choose another port: {setting} in configs/kitsu.yaml "
            f"(or KITSU__{setting.upper().replace('.', '__')}).",
        ) from None
    return listener


def check_services_ports(network: NetworkSettings) -> None:
    """See that the ports of the services are free before they are started.

    Raises:
        PortInUseError: `port_in_use`.
    """
    for name in ("orchestrator_port", "control_port"):
        listen(network.host, getattr(network, name), f"network.{name}").close()


def holder(port: int) -> str:
    """Who listens on the port, for people: `nginx (pid 4321)`; empty when the system does not tell."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.pid and tuple(connection.laddr)[1:2] == (port,):
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        return ""
    return ""
