import subprocess
import sys
from pathlib import Path

from kitsu.filelock import FileLock
from kitsu.home import CHECKOUT


def test_one_at_a_time_and_no_file_left(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "x.lock"), FileLock(tmp_path / "x.lock")
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert not (tmp_path / "x.lock").exists()
    assert second.acquire()
    second.release()
    second.release()


def test_a_dead_holder_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    code = (
        "import sys, os, signal; from pathlib import Path; from kitsu.filelock import FileLock;"
        f"assert FileLock(Path({str(path)!r})).acquire(); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"held"
        assert not FileLock(path).acquire()
        holder.kill()
        holder.wait()
    lock = FileLock(path)
    assert lock.acquire()
    lock.release()
    assert not path.exists()
