"""One short question to another program: over HTTP or a websocket, and never for long."""

import http.client
import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 1.2
MAX_BYTES = 1 << 20


class NobodyThereError(Exception):
    """Nothing takes a connection at that address."""


class OddAnswerError(Exception):
    """Something is there, and its answer is late or not what such a program says; the text says how."""


def get_json(url: str) -> Any:
    """`GET`, decoded.

    Raises:
        NobodyThereError, OddAnswerError.
    """
    connection = _connection(url)
    try:
        connection.connect()
    except (OSError, ValueError, UnicodeError):
        raise NobodyThereError from None
    try:
        connection.request("GET", urlsplit(url).path or "/")
        answer = connection.getresponse()
        data = answer.read(MAX_BYTES)
    except TimeoutError:
        raise OddAnswerError(f"takes connections and says nothing within {TIMEOUT_S:g} s") from None
    except (OSError, http.client.HTTPException):
        raise OddAnswerError("hangs up") from None
    finally:
        connection.close()
    if answer.status != 200:
        raise OddAnswerError(f"answers with HTTP {answer.status}")
    return _decoded(data)


def _connection(url: str) -> http.client.HTTPConnection:
    try:
        parts = urlsplit(url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    except (ValueError, http.client.InvalidURL):
        raise OddAnswerError(f"{url!r} is no address") from None


def first_message(port: int, question: Any = None, then: Callable[[Any], Any] | None = None) -> Any:
    """What a websocket server of this machine says first, after `question` if there is one, decoded.

    With `then`, what it says to that: `then` gets the first message and makes the second question.

    Raises:
        NobodyThereError, OddAnswerError.
    """
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    try:
        sock = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
    except OSError:
        raise NobodyThereError from None
    options: dict[str, Any] = {"open_timeout": TIMEOUT_S, "close_timeout": 0.1, "max_size": MAX_BYTES, "proxy": None}
    try:
        with connect(f"ws://127.0.0.1:{port}", sock=sock, **options) as link:
            if question is not None:
                link.send(json.dumps(question))
            text = link.recv(timeout=TIMEOUT_S)
            if then is not None:
                link.send(json.dumps(then(_decoded(text))))
                text = link.recv(timeout=TIMEOUT_S)
    except TimeoutError:
        raise OddAnswerError(f"takes connections and says nothing within {TIMEOUT_S:g} s") from None
    except (OSError, WebSocketException):
        raise OddAnswerError("does not speak websocket") from None
    finally:
        sock.close()
    return _decoded(text)


def _decoded(data: str | bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise OddAnswerError("answers with something that is not JSON") from None
