"""A file server over a real socket that knows Range, and many ways to misbehave."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 1024


@dataclass
class FileServer:
    """What it has, by path, and how it behaves. `asked` notes (path, Range header) of each request."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    cut_after: list[int] = field(default_factory=list)  # one entry a request: hang up after so many bytes of the body
    status: dict[str, list[int]] = field(default_factory=dict)  # path -> one status a request, then all is well
    redirect: dict[str, str] = field(default_factory=dict)  # path -> where to
    wrong: set[str] = field(default_factory=set)  # these arrive with their bytes inverted
    claim: dict[str, int] = field(default_factory=dict)  # path -> what Content-Length says beyond the truth
    longer: dict[str, bytes] = field(default_factory=dict)  # path -> what comes after the file's end
    range_start: int | None = None  # what a 206 claims to begin with
    knows_range: bool = True
    piece_s: float = 0.0  # pause after each piece

    def answer(self, path: str, wanted: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body."""
        if statuses := self.status.get(path):
            return statuses.pop(0), {}, b"no"
        if path in self.redirect:
            return 302, {"Location": self.redirect[path]}, b""
        if path not in self.files:
            return 404, {}, b"nothing here"
        body = self.files[path] + self.longer.get(path, b"")
        if path in self.wrong:
            body = bytes(255 - byte for byte in body)
        if not wanted or not self.knows_range:
            return 200, {}, body
        start = int(wanted.removeprefix("bytes=").partition("-")[0])
        if start >= len(body):
            return 416, {}, b""
        claimed = start if self.range_start is None else self.range_start
        return 206, {"Content-Range": f"bytes {claimed}-{len(body) - 1}/{len(body)}"}, body[start:]


@contextmanager
def file_server() -> Iterator[FileServer]:
    """A running server on a free port."""
    fake = FileServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("range", "")
            fake.asked.append((self.path, wanted))
            status, headers, body = fake.answer(self.path, wanted)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + fake.claim.get(self.path, 0)))
            self.end_headers()
            limit = fake.cut_after.pop(0) if body and status in (200, 206) and fake.cut_after else len(body)
            self._send(body[:limit])
            if limit < len(body) or fake.claim.get(self.path):
                self.close_connection = True

        def _send(self, body: bytes) -> None:
            try:
                for start in range(0, len(body), PIECE):
                    self.wfile.write(body[start : start + PIECE])
                    if fake.piece_s:
                        time.sleep(fake.piece_s)
            except OSError:  # the client has enough
                self.close_connection = True

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
