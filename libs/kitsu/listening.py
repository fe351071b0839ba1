"""A listening socket, without the web stack behind it: bound early, it keeps those waiting who come before we serve."""

import socket
import sys

from kitsu.errors import ConfigError


def bind(host: str, port: int, setting: str) -> socket.socket:
    """A listening socket.

    Raises:
        ConfigError: `port_in_use`, `cannot_listen`; both name the setting.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle off on what it accepts; without, each small frame may wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there, this option would let two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        code = "port_in_use" if error.errno in _IN_USE else "cannot_listen"
        raise ConfigError(
            code,
            f"{host}:{port} ({setting}): {error.strerror}. "
            f"Stop the program that uses it, or set another port in configs/kitsu.yaml.",
        ) from None
    listener.setblocking(False)
    return listener


_IN_USE = frozenset({98, 48, 10048})  # EADDRINUSE on Linux, macOS, Windows (WSAEADDRINUSE)
