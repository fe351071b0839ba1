"""A whole show, started as a user starts it: the `kitsu` command, a home of its own, free ports."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from kitsu.services import SERVICES
from tests.fakes.hub import NO_OLLAMA
from tests.integration.test_start_stop import free_ports

READY_S = 30.0
SPINE = tuple(service.name for service in SERVICES.values() if not service.wanted)
"""What runs in every show, whatever is configured."""


class LaunchedShow:
    """Drives one running show over its command line and REST."""

    def __init__(self, root: Path, *, traced: bool = True, **settings: str) -> None:
        self.root = root
        self.orchestrator, self.launcher, self.control = free_ports(3)
        others = ("KITSU",) if traced else ("KITSU", "COVERAGE")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
        self.env = kept | {
            "KITSU_HOME": str(root),
            "KITSU__NETWORK__ORCHESTRATOR_PORT": str(self.orchestrator),
            "KITSU__NETWORK__LAUNCHER_PORT": str(self.launcher),
            "KITSU__NETWORK__CONTROL_PORT": str(self.control),
            "KITSU__POLICY__OLLAMA_URL": NO_OLLAMA,
            **settings,
        }

    def kitsu(self, *argv: str, timeout_s: float = 60.0) -> subprocess.CompletedProcess[str]:
        """One command, as typed."""
        return subprocess.run(
            [sys.executable, "-m", "kitsu_cli", *argv],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def call(self, verb: str, path: str, body: dict[str, Any] | None = None, port: int = 0) -> Any:
        """REST of the orchestrator (or of another local door)."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.orchestrator, timeout=60)
        token = (self.root / "secrets" / "token").read_text().strip()
        try:
            headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
            connection.request(verb, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            data = answer.read()
            return json.loads(data) if "json" in (answer.getheader("content-type") or "") else data
        finally:
            connection.close()

    def say(self, text: str, **more: Any) -> str:
        """Say something; returns the turn's id at once."""
        turn_id: str = self.call("POST", "/say", {"text": text, **more})["turn_id"]
        return turn_id

    def turn(self, turn_id: str) -> dict[str, Any]:
        """A turn's story."""
        story: dict[str, Any] = self.call("GET", f"/turns/{turn_id}")
        return story

    def ended(self, turn_id: str, within_s: float = 30.0) -> dict[str, Any]:
        """A turn's story once it has ended."""
        return until(lambda: story if (story := self.turn(turn_id)).get("outcome") else None, within_s)

    def sounding(self, turn_id: str, more_than_ms: float = 0.0, within_s: float = 10.0) -> None:
        """Wait until a turn has sounded for so long."""
        until(lambda: self.turn(turn_id).get("first_audio_ms"), within_s)
        time.sleep(more_than_ms / 1000)  # real time passes: this is a live show

    def wav(self, turn_id: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """What a turn's recording holds: float64 (n,), mono, 48 kHz, -1..1."""
        return samples(self.call("GET", f"/turns/{turn_id}/audio.wav"))

    def services(self) -> dict[str, dict[str, Any]]:
        """The launcher's rows by name."""
        return {row["name"]: row for row in self.call("GET", "/status", port=self.launcher)["services"]}

    def wait_ready(self, within_s: float = READY_S) -> None:
        """Wait until every service is healthy."""
        until(lambda: self.call("GET", "/status", port=self.launcher).get("ready"), within_s)

    def in_background(self, *argv: str) -> "Background":
        """A command that runs while the test goes on."""
        return Background(lambda: self.kitsu(*argv))


class Background:
    """A thread with a result."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._result: Any = None

        def run() -> None:
            self._result = work()

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def result(self) -> Any:
        """Wait for it."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self._result


@contextmanager
def launched(root: Path, *, traced: bool = True, **settings: str) -> Iterator[LaunchedShow]:
    """A running show; stopped, and proven gone, when the block ends. `traced`: for coverage, which costs it time."""
    show = LaunchedShow(root, traced=traced, **settings)
    started = show.kitsu("start")
    assert started.returncode == 0, started.stderr + started.stdout
    pids = [row["pid"] for row in show.services().values() if row["pid"]]
    try:
        yield show
    finally:
        stopped = show.kitsu("stop")
        assert stopped.returncode == 0, stopped.stderr
    assert not [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]


def until(true: Callable[[], Any], within_s: float = 10.0) -> Any:
    """Poll until `true` gives something; the last answer."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            found = true()
        except (OSError, http.client.HTTPException):
            found = None
        if found:
            return found
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def samples(wav: bytes) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A WAV's samples, float64 (n,), -1..1. It must be 48 kHz, mono, 16 bit."""
    with wave.open(BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64) / 32768
