"""`kitsu start` and `kitsu stop` as processes, over a real detached launcher and small services."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from kitsu.home import CHECKOUT
from kitsu_cli.exits import Exit

COMMAND = [sys.executable, "-m", "tests.fakes.kitsu_over_children"]


class Shell:
    """A terminal in front of one installation."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = free_ports(3)
        names = ("ORCHESTRATOR", "LAUNCHER", "CONTROL")
        self.env = os.environ | {
            "KITSU_HOME": str(home),
            "PYTHONPATH": str(CHECKOUT),
            "KITSU_TEST_CHILDREN": "policy=healthy tts=healthy",
            "KITSU__LAUNCHER__STOP_S": "0.5",
            "KITSU__LAUNCHER__TERMINATE_S": "0.3",
            **{f"KITSU__NETWORK__{name}_PORT": str(port) for name, port in zip(names, self.ports, strict=True)},
        }

    def begin(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, *argv],
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def kitsu(self, *argv: str) -> tuple[int, str, str]:
        with self.begin(*argv) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def status(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(self.kitsu("status", "--json")[1])
        return data

    def pids(self) -> dict[str, int]:
        launcher = self.status()["launcher"]
        return {"launcher": launcher["pid"]} | {service["name"]: service["pid"] for service in launcher["services"]}

    def nothing_left(self) -> None:
        assert not (self.home / "data" / "launcher.lock").exists()
        assert not (self.home / "data" / "launcher.json").exists()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", self.ports[1]))


def free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def until(true: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, "did not come true in time"
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    made = Shell(tmp_path)
    yield made
    made.kitsu("stop")


def test_start_then_stop_leaves_nothing(shell: Shell) -> None:
    code, out, err = shell.kitsu("start")
    assert code == 0, err
    assert "✓ ok" in out
    assert "not configured" in out
    assert " s  policy ok" in err
    pids = shell.pids()
    assert os.getsid(pids["launcher"]) != os.getsid(0)
    assert shell.kitsu("stop")[0] == 0
    assert all(gone(pid) for pid in pids.values())
    shell.nothing_left()


def test_a_second_start_changes_nothing(shell: Shell) -> None:
    shell.kitsu("start")
    before = shell.pids()
    code, out, _ = shell.kitsu("start", "--json")
    assert code == 0
    assert json.loads(out)["ready"]
    assert shell.pids() == before


def test_a_second_start_repairs(shell: Shell) -> None:
    shell.kitsu("start")
    before = shell.pids()
    assert shell.kitsu("stop", "tts")[0] == 0
    assert shell.pids()["tts"] is None
    assert shell.kitsu("start")[0] == 0
    assert shell.pids()["tts"] not in (None, before["tts"])
    assert shell.pids()["policy"] == before["policy"]


def test_restart_of_one_service_and_of_everything(shell: Shell) -> None:
    shell.kitsu("start")
    first = shell.pids()
    assert shell.kitsu("restart", "tts")[0] == 0
    second = shell.pids()
    assert (second["policy"], second["launcher"]) == (first["policy"], first["launcher"])
    assert second["tts"] != first["tts"]
    assert shell.kitsu("restart")[0] == 0
    assert not set(shell.pids().values()) & set(second.values())
    assert shell.kitsu("restart", "nope")[0] == Exit.REFUSED


def test_two_starts_at_once_make_one_show(shell: Shell) -> None:
    both = [shell.begin("start") for _ in range(2)]
    ends = [(process.communicate(timeout=60), process.returncode) for process in both]
    assert [code for _, code in ends] == [0, 0], ends
    launchers = [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if "tests.fakes.launch" in (process.info["cmdline"] or [])
        and (process.info["environ"] or {}).get("KITSU_HOME") == str(shell.home)
    ]
    assert len(launchers) == 1


def test_only_some_services(shell: Shell) -> None:
    assert shell.kitsu("start", "tts")[0] == 0
    assert shell.pids()["policy"] is None
    assert shell.kitsu("start", "nope")[0] == Exit.REFUSED


@pytest.mark.parametrize(("place", "setting"), list(enumerate(("orchestrator_port", "launcher_port", "control_port"))))
def test_a_port_in_use_is_named_with_its_setting(shell: Shell, place: int, setting: str) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", shell.ports[place]))
        taken.listen()
        code, _, err = shell.kitsu("start")
    assert code == Exit.PORT_IN_USE
    assert str(shell.ports[place]) in err
    assert f"network.{setting}" in err
    assert not (shell.home / "data" / "launcher.lock").exists()


def test_a_wrong_setting_stops_the_start(shell: Shell) -> None:
    shell.env["KITSU__LAUNCHER__HANG_S"] = "soon"
    code, _, err = shell.kitsu("start")
    assert code == Exit.SETTINGS
    assert "KITSU__LAUNCHER__HANG_S" in err
    assert "soon" in err


def test_no_right_to_write(shell: Shell) -> None:
    (shell.home / "data").write_text("a file where a folder should be")
    code, _, err = shell.kitsu("start")
    assert code == Exit.SETTINGS
    assert "KITSU_HOME" in err
    (shell.home / "data").unlink()


def test_a_service_that_keeps_dying_is_named(shell: Shell) -> None:
    shell.env["KITSU_TEST_CHILDREN"] = "policy=healthy tts=falling"
    code, _, err = shell.kitsu("start", "--timeout", "20")
    assert code == Exit.NOT_STARTED
    assert "tts" in err
    assert "the fox ran away" in err


def test_a_service_with_a_wrong_setting_is_named(shell: Shell) -> None:
    shell.env["KITSU_TEST_CHILDREN"] = "policy=refusing tts=healthy"
    code, out, _ = shell.kitsu("start")
    assert code == Exit.NOT_STARTED
    assert "✗ failed" in out
    assert "policy.engine" in out


def test_a_killed_launcher_leaves_nothing_behind(shell: Shell) -> None:
    shell.env["KITSU_TEST_CHILDREN"] = "policy=healthy tts=deaf"
    shell.kitsu("start")
    before = shell.pids()
    os.kill(before["launcher"], signal.SIGKILL)
    until(lambda: gone(before["policy"]))  # its stdin ended
    assert not gone(before["tts"])  # deaf
    assert shell.kitsu("status")[0] == Exit.NOT_RUNNING
    assert shell.kitsu("start")[0] == 0
    assert gone(before["tts"])
    assert not set(shell.pids().values()) & set(before.values())


def test_stop_clears_up_after_a_killed_launcher(shell: Shell) -> None:
    shell.env["KITSU_TEST_CHILDREN"] = "tts=deaf"
    shell.kitsu("start")
    before = shell.pids()
    os.kill(before["launcher"], signal.SIGKILL)
    code, out, _ = shell.kitsu("stop")
    assert (code, "Cleared up" in out) == (0, True)
    assert all(gone(pid) for pid in before.values())
    shell.nothing_left()


def test_stop_ends_a_launcher_that_hangs(shell: Shell) -> None:
    shell.kitsu("start")
    before = shell.pids()
    os.kill(before["launcher"], signal.SIGSTOP)
    assert shell.kitsu("stop")[0] == 0
    assert all(gone(pid) for pid in before.values())
    shell.nothing_left()


def test_foreground_ends_with_ctrl_c(shell: Shell) -> None:
    with shell.begin("start", "--foreground") as process:
        stdout = process.stdout
        assert stdout is not None
        until(lambda: "not configured" in stdout.readline())
        pids = shell.pids()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err
    assert all(gone(pid) for pid in pids.values())
    assert "launcher" in out
    shell.nothing_left()


def test_a_killed_foreground_takes_the_show_with_it(shell: Shell) -> None:
    with shell.begin("start", "--foreground") as process:
        until(lambda: shell.status()["running"] and shell.status()["launcher"]["ready"])
        pids = shell.pids()
        process.kill()
        process.communicate(timeout=20)
    until(lambda: all(gone(pid) for pid in pids.values()))
    until(lambda: not (shell.home / "data" / "launcher.lock").exists())
    shell.nothing_left()
