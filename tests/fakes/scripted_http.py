"""An HTTP server that answers as it was told, by "METHOD path", and a port that takes connections and is silent."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ScriptedHttp:
    """`answers`: status and body; of a list, one a request. `asked`: "METHOD path" and the body."""

    url: str = ""
    answers: dict[str, tuple[int, bytes] | list[tuple[int, bytes]]] = field(default_factory=dict)
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def answer(self, what: str) -> tuple[int, bytes]:
        found = self.answers.get(what, (404, b'{"error": "not found"}'))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found


@contextmanager
def scripted_http() -> Iterator[ScriptedHttp]:
    """A running one on a free port."""
    fake = ScriptedHttp()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            what = f"{self.command} {self.path}"
            fake.asked.append((what, body))
            status, answer = fake.answer(what)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _serve  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def black_hole() -> Iterator[int]:
    """A port of this machine whose connections are taken by the system and never answered."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]
