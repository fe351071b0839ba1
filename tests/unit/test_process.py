"""A process under the launcher: heartbeats, orders, end of file, exit codes. Real processes, real pipes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kitsu.process import EXIT_CONFIG, EXIT_FAILED, MAX_ORDER_BYTES

WAIT_S = 20


class Child:
    """A started `tests.fakes.child`."""

    def __init__(self, how: str, home: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("KITSU")}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.child", how],
            env={**clean, "KITSU_HOME": str(home)},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )

    def beat(self) -> dict[str, Any]:
        """The next heartbeat."""
        assert self.process.stdout is not None
        beat: dict[str, Any] = json.loads(self.process.stdout.readline())
        return beat

    def ready(self) -> None:
        while not self.beat()["ready"]:
            pass

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def event(self, name: str) -> dict[str, Any]:
        """The next log line with this event."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            entry: dict[str, Any] = json.loads(line)
            if entry["event"] == name:
                return entry
        raise AssertionError(f"{name} was never logged")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "kitsu.yaml").touch()
    return tmp_path


@pytest.fixture
def child(home: Path, request: pytest.FixtureRequest) -> Iterator[Child]:
    started = Child(getattr(request, "param", "patient"), home)
    with started.process:
        yield started
        if started.process.poll() is None:
            started.process.kill()


def test_heartbeats_say_how_it_is(child: Child) -> None:
    assert child.beat() == {"ready": False, "state": "ok", "reason": "starting"}
    child.ready()
    assert child.beat() == {"ready": True, "state": "ok", "reason": ""}  # the next second's


def test_end_of_file_stops_it_gracefully(child: Child) -> None:
    child.ready()
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.event("tidied.up")["service"] == "child"
    assert child.process.wait(WAIT_S) == 0


def test_the_order_to_stop_ends_it_while_the_pipe_stays_open(child: Child) -> None:
    child.ready()
    child.write(b'{"verb": "stop"}\n')
    assert child.event("tidied.up")
    assert child.process.wait(WAIT_S) == 0


def test_orders_arrive_whole_however_they_are_cut(child: Child) -> None:
    child.ready()
    child.write(b'{"verb": "pa')
    child.write(b'nic", "panic": {"by": "\xc3\xbc"}}\n{"verb": "second"}\n')
    assert child.event("order")["order"]["panic"] == {"by": "ü"}
    assert child.event("order")["verb"] == "second"


@pytest.mark.parametrize(
    "nonsense",
    [b"\n", b"hello\n", b"[1]\n", b"null\n", b"\xff\xfe\n", b"[" * 50_000 + b"\n", b"x" * 3 * MAX_ORDER_BYTES + b"\n"],
    ids=["blank", "word", "list", "null", "not UTF-8", "deep", "endless"],
)
def test_nonsense_is_skipped(child: Child, nonsense: bytes) -> None:
    child.ready()
    child.write(nonsense + b'{"verb": "panic"}\n')
    assert child.event("order")["verb"] == "panic"


@pytest.mark.parametrize(
    ("child", "code", "exit_code"),
    [("wrong-setting", "bad_setting", EXIT_CONFIG), ("broken", "voice_failed", EXIT_FAILED)],
    indirect=["child"],
)
def test_errors_become_one_log_line_and_an_exit_code(child: Child, code: str, exit_code: int) -> None:
    """Also with the pipe still open, when a thread waits in it."""
    assert child.event("process.failed")["code"] == code
    assert child.process.wait(WAIT_S) == exit_code


@pytest.mark.parametrize("child", ["done"], indirect=True)
def test_a_main_that_ends_ends_the_process(child: Child) -> None:
    assert child.process.wait(WAIT_S) == 0


def test_nobody_reads_the_heartbeats_any_more(child: Child) -> None:
    child.ready()
    assert child.process.stdout is not None
    child.process.stdout.close()
    assert child.process.wait(WAIT_S) == 0
