"""A disk without room: she speaks on, the operator is told, and what comes once there is room again is written down."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.launched import SPINE, LaunchedShow, launched, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a tmpfs to be filled")
DISK = "size=8m"


def mount(*argv: str) -> bool:
    """Run `mount` or `umount`. False: this machine (a container, a user without rights) does not let us."""
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedShow]:
    disk = tmp_path_factory.mktemp("disk")
    if not mount("mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(disk)):
        pytest.skip("a small disk cannot be mounted here: that takes root")
    try:
        with launched(disk / "home", KITSU__TURN__MAX_AUDIO_S="1") as running:  # short answers, a quick test
            yield running
    finally:
        assert mount("umount", str(disk)), "something still holds the small disk"


def fill(show: LaunchedShow) -> Path:
    """Take the last byte; returns the file that holds them."""
    ballast = show.root.parent / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (64 << 10, 4 << 10, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return ballast


def speak(show: LaunchedShow, path: str = "/say", **more: Any) -> dict[str, Any]:
    """A turn that was really heard."""
    body = {"text": "Hi there.", "wait": True, "timeout_s": 20, **more}
    turn: dict[str, Any] = show.call("POST", path, body)
    assert turn["outcome"] == "spoken", turn
    assert turn["audio_ms"] > 300
    assert turn["heard"]
    return turn


def on_disk(show: LaunchedShow) -> dict[str, str]:
    """Turns and their outcomes, as another program reads them."""
    with closing(sqlite3.connect(show.root / "data" / "kitsu.db")) as database:
        return dict(database.execute("SELECT turn_id, outcome FROM turn WHERE outcome IS NOT NULL").fetchall())


def test_a_full_disk_costs_stories_and_never_her_voice(show: LaunchedShow) -> None:
    before = show.services()
    first = speak(show)
    until(lambda: first["turn_id"] in on_disk(show))
    assert first["wav"]
    ballast = fill(show)

    lost = [speak(show, "/chat", text="hello there"), speak(show)]
    assert [turn["wav"] for turn in lost] == ["", ""]
    status = until(lambda: found if (found := show.call("GET", "/status"))["store_error"] else None)
    assert "full" in status["store_error"]
    assert status["queues"]["store"]["depth"] >= 2
    assert not {turn["turn_id"] for turn in lost} & set(on_disk(show))
    assert show.turn(lost[0]["turn_id"]) == lost[0], "it is not lost while the show runs"
    assert show.call("POST", "/control/panic", {})["panicked"]
    assert show.call("POST", "/control/resume")["panic"] is None
    lost.append(speak(show))
    for verb in (("status",), ("logs", "-n", "20")):
        answer = show.kitsu(*verb)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert "Traceback" not in answer.stdout + answer.stderr

    ballast.unlink()
    after = speak(show)
    until(lambda: {turn["turn_id"] for turn in (*lost, after)} <= set(on_disk(show)), within_s=15)
    assert len(show.wav(after["turn_id"])) > 10_000
    until(lambda: show.call("GET", "/status")["store_error"] == "")
    rows = show.services()
    assert {name: (rows[name]["pid"], rows[name]["restarts"]) for name in SPINE} == {
        name: (before[name]["pid"], 0) for name in SPINE
    }
