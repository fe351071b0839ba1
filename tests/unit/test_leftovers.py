import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kitsu.leftovers import reap


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def noted(path: Path, pid: object, created: object) -> Path:
    file = path / "launcher.json"
    file.write_text(json.dumps({"pid": 1, "created": 1.0, "services": {"tts": [pid, created]}}))
    return file


def test_what_is_left_is_ended(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    file = noted(tmp_path, sleeper.pid, psutil.Process(sleeper.pid).create_time())
    assert reap(file, grace_s=0.05) == [sleeper.pid]
    assert not file.exists()
    assert not psutil.pid_exists(sleeper.pid)
    sleeper.wait(5)


def test_another_process_with_the_same_id_is_left_alone(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    assert reap(noted(tmp_path, sleeper.pid, 12345.0), grace_s=0.05) == []
    assert sleeper.poll() is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"services": []}',
        '{"services": {"a": 1}}',
        '{"services": {"a": ["x", 0]}}',
        "\x00",
    ],
)
def test_a_broken_file_is_no_reason_to_stop(tmp_path: Path, text: str) -> None:
    file = tmp_path / "launcher.json"
    file.write_text(text)
    assert reap(file) == []
    assert not file.exists()


def test_a_launcher_that_hangs_is_ended_only_when_asked(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    file = tmp_path / "launcher.json"
    text = json.dumps({"pid": sleeper.pid, "created": psutil.Process(sleeper.pid).create_time(), "services": {}})
    file.write_text(text)
    assert reap(file, grace_s=0.05) == []
    assert sleeper.poll() is None
    file.write_text(text)
    assert reap(file, grace_s=0.05, launcher_too=True) == [sleeper.pid]
    assert not psutil.pid_exists(sleeper.pid)
    sleeper.wait(5)


@pytest.mark.parametrize("pid", [-1, 2**70])
def test_impossible_ids(tmp_path: Path, pid: int) -> None:
    assert reap(noted(tmp_path, pid, 1.0)) == []


def test_no_file(tmp_path: Path) -> None:
    assert reap(tmp_path / "none.json") == []
