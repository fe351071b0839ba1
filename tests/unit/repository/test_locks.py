"""Locks are fresh, complete and name no host; their wheels exist for Windows."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.repository.files import ROOT

PURE = ("pyvts",)  # published as source alone; Python without anything to compile
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-node.lock"]


def test_locks_fit_pyproject() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/lock.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("lock", [*LOCKS, "web/package-lock.json"])
def test_a_lock_names_no_host(lock: str) -> None:
    path = ROOT / lock
    if path.is_file():
        assert "://" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_version_has_hashes(lock: str) -> None:
    blocks = (ROOT / lock).read_text(encoding="utf-8").split("\n")
    pinned = [index for index, line in enumerate(blocks) if "==" in line and not line.startswith((" ", "#"))]
    assert pinned
    assert all("--hash=sha256:" in blocks[index + 1] for index in pinned)


@pytest.mark.long
@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("lock", LOCKS)
def test_every_wheel_exists_for_windows(lock: str, version: str, tmp_path: Path) -> None:
    """Resolves for win_amd64 from wheels alone, with the locked hashes; nothing is downloaded whole."""
    assert _windows(["--require-hashes", "-r", lock], version, tmp_path) == ""


@pytest.mark.long
def test_a_package_without_windows_wheels_would_be_noticed(tmp_path: Path) -> None:
    assert "no usable wheels" in _windows(["uvloop==0.21.0"], "3.12", tmp_path)


def _windows(what: list[str], version: str, target: Path) -> str:
    """What is wrong, in uv's words."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--dry-run", "--no-deps", "--only-binary", ":all:"]
    command += [word for package in PURE for word in ("--no-binary", package)]
    platform = ["--python-platform", "x86_64-pc-windows-msvc", "--python-version", version, "--target", str(target)]
    done = subprocess.run(
        [*command, *platform, *what], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    if "error sending request" in done.stderr or "Failed to fetch" in done.stderr:
        pytest.skip("needs the package index")
    return done.stderr if done.returncode else ""


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
