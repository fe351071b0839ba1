"""The orchestrator's REST door, scripted: real HTTP on a real socket, the contract's shapes, and ways to misbehave."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "k" * 43
WAV = b"RIFF" + bytes(200)

TURN: dict[str, Any] = {
    "turn_id": "018f00000000-abcdef",
    "conv": "stage",
    "outcome": "spoken",
    "reason": "completed",
    "segments": [{"text": "Hi, I am Kitsu!", "expression": "smile", "action": "wave"}],
    "heard": "Hi, I am Kitsu!",
    "first_audio_ms": 81.5,
    "audio_ms": 1480.0,
    "engine": {"policy": "scripted", "tts": "espeak"},
    "wav": "018f00000000-abcdef.wav",
    "story": [],
}
LEVELS: dict[str, Any] = {"mode": "standby", "muted": False, "panic": None}
STATUS: dict[str, Any] = {
    "levels": LEVELS,
    "character": "Kitsu",
    "services": [{"role": "policy", "connected": True, "state": "ok"}],
    "sinks": [],
    "listening": False,
    "waiting": 0,
    "dropped": {},
    "confirmed": [],
}
EXITS = [{"exit": "playout", "state": "confirmed", "latency_ms": 1.2, "detail": "last sample 1.2 ms after the order"}]

Answer = tuple[int, Any]  # HTTP status, JSON (or bytes as they are)


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    body: Any
    raw: bytes = b""


@dataclass
class FakeRest:
    """What it answers, by "METHOD path", and what it was asked. While `frozen` it takes requests and says nothing."""

    url: str = ""
    token: str = TOKEN
    asked: list[Asked] = field(default_factory=list)
    frozen: threading.Event = field(default_factory=threading.Event)
    thawed: threading.Event = field(default_factory=threading.Event)
    answers: dict[str, Answer | Callable[[Any], Answer]] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Answer:
        """The scripted answer, or the contract's error for an unknown path."""
        found = self.answers.get(f"{asked.method} {asked.path}")
        if found is None:
            return 404, {"error": {"code": "not_found", "message": "There is nothing at this path."}}
        return found(asked.body) if callable(found) else found


def default_answers() -> dict[str, Answer | Callable[[Any], Answer]]:
    """A show that is well."""
    controls = ("resume", "mute", "unmute", "live", "standby")
    return {
        "GET /healthz": (200, {"status": "ok"}),
        "GET /status": (200, STATUS),
        "POST /chat": (200, TURN),
        "POST /say": (200, TURN),
        f"GET /turns/{TURN['turn_id']}/audio.wav": (200, WAV),
        "POST /control/panic": lambda body: (200, {"panic_id": body["panic_id"], "panicked": True, "exits": EXITS}),
        "POST /control/skip": (200, {"skipped": True}),
        "POST /auth/link": (200, {"url": "http://127.0.0.1:8100/#k=once"}),
    } | {f"POST /control/{verb}": (200, LEVELS) for verb in controls}


@contextmanager
def fake_rest(answers: dict[str, Answer | Callable[[Any], Answer]] | None = None) -> Iterator[FakeRest]:
    """A running fake on a free port."""
    fake = FakeRest(answers=default_answers() | (answers or {}))

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("content-length", 0))
            raw = self.rfile.read(length)
            is_json = self.headers.get("content-type", "application/json") == "application/json"
            asked = Asked(self.command, self.path, json.loads(raw) if raw and is_json else None, raw)
            fake.asked.append(asked)
            if fake.frozen.is_set():
                fake.thawed.wait(10)
                return
            status, content = 401, {"error": {"code": "bad_token", "message": "no"}}
            if self.path == "/healthz" or self.headers.get("authorization") == f"Bearer {fake.token}":
                status, content = fake.answer(asked)
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

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
        fake.thawed.set()
        server.shutdown()
        server.server_close()
        thread.join()


def slowly(seconds: float, then: Answer) -> Callable[[Any], Answer]:
    """An answer that takes its time."""

    def answer(body: Any) -> Answer:
        time.sleep(seconds)
        return then

    return answer
