"""What is installed when. Programs that would be run are noted instead: the boundary is `Steps.run`."""

import importlib.util
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from install import debian, environment, installation, pages, tests
from install.places import Places
from install.steps import StepError, Steps
from kitsu.filelock import FileLock
from kitsu.home import CHECKOUT


class Dry(Steps):
    """Notes commands and pretends that they worked."""

    ran: list[str]

    def run(self, command: Sequence[object], *, cwd: Path, env: dict[str, str] | None = None, advice: str = "") -> None:
        words = " ".join(str(word) for word in command)
        self.ran.append(words)
        if " venv " in words:
            python = Path(str(command[-1])) / "bin" / "python"
            python.parent.mkdir(parents=True, exist_ok=True)
            python.symlink_to(sys.executable)
        if words.endswith(" ci --no-audit --no-fund"):
            (cwd / "node_modules").mkdir(exist_ok=True)
        if words.endswith("run build"):
            (cwd / "build").mkdir(exist_ok=True)
            (cwd / "build" / "index.html").write_text("built")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands of an installation."""
    commands: list[str] = []
    monkeypatch.setattr(Dry, "ran", commands, raising=False)
    monkeypatch.setattr(installation, "Steps", Dry)
    monkeypatch.setattr(tests, "missing", lambda: False)
    monkeypatch.setattr(pages, "_system_node", lambda: pages.Node(("npm",), "/usr/bin"))
    return commands


def test_everything_once_then_nothing(places: Places, ran: list[str]) -> None:
    installation.ensure(places)
    assert [
        part in command
        for part, command in zip(("venv", "requirements.lock", "--editable", "ci", "build"), ran, strict=True)
    ]
    assert all("--require-hashes" in command for command in ran if "requirements" in command)
    ran.clear()
    installation.ensure(places)
    assert ran == []
    assert not places.lock.exists()


def test_only_what_changed_is_done_again(places: Places, ran: list[str]) -> None:
    installation.ensure(places)
    for file, expected in (
        (places.checkout / "requirements.lock", ["requirements.lock", "--editable"]),
        (places.checkout / "pyproject.toml", ["--editable"]),
        (places.web / "src" / "app.html", ["run build"]),
        (places.web / "package-lock.json", ["npm ci", "run build"]),
    ):
        ran.clear()
        file.write_text("changed")
        installation.ensure(places)
        assert len(ran) == len(expected)
        assert all(part in command for part, command in zip(expected, ran, strict=True))


def test_a_removed_build_is_made_again(places: Places, ran: list[str]) -> None:
    installation.ensure(places)
    ran.clear()
    shutil.rmtree(places.web / "build")
    installation.ensure(places)
    assert ran == ["npm run build"]


def test_a_moved_checkout_is_installed_again(places: Places, ran: list[str]) -> None:
    installation.ensure(places)
    ran.clear()
    moved = places.checkout.rename(places.checkout.with_name("moved"))
    installation.ensure(Places(moved, places.logs))
    assert "--editable" in ran[0]


def test_tests_take_their_own_lock(places: Places, ran: list[str]) -> None:
    installation.ensure(places)
    ran.clear()
    installation.ensure(places, testing=True)
    assert "requirements-dev.lock" in ran[0]


def test_an_environment_that_does_not_work_is_made_anew(places: Places, ran: list[str]) -> None:
    places.python.parent.mkdir(parents=True)
    places.python.symlink_to("/no/such/python")
    assert not environment.works(places)
    places.python.unlink()
    places.python.symlink_to(shutil.which("false") or "/bin/false")
    assert not environment.works(places)


def test_a_failed_step_leaves_no_lock_and_no_stamp(
    places: Places, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StepError("no network")

    with monkeypatch.context() as patch:
        patch.setattr(environment, "pip_install", fail)
        with pytest.raises(StepError):
            installation.ensure(places)
    assert not places.lock.exists()
    assert not environment.fresh(places, environment.LOCK)
    installation.ensure(places)
    assert environment.fresh(places, environment.LOCK)


def test_a_build_that_makes_nothing_is_an_error(places: Places, steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_system_node", lambda: pages.Node(("true",), "/usr/bin"))
    with pytest.raises(StepError, match=r"index\.html"):
        pages.make(places, steps)
    assert not pages.fresh(places)


def test_a_second_process_waits_and_says_so(places: Places, steps: Steps, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = FileLock(places.lock), FileLock(places.lock)
    assert first.acquire()
    waiting = threading.Thread(target=installation.wait_for, args=(second, steps))
    waiting.start()
    deadline = time.monotonic() + 5
    out = ""
    while "waiting for it" not in out and time.monotonic() < deadline:
        out += capsys.readouterr().out
        time.sleep(0.01)
    first.release()
    waiting.join(5)
    second.release()
    assert "waiting for it" in out
    assert not waiting.is_alive()


def test_a_checkout_that_cannot_be_written(tmp_path: Path, steps: Steps) -> None:
    with pytest.raises(StepError, match="cannot be written"):
        installation.wait_for(FileLock(tmp_path / "no" / "folder" / "x.lock"), steps)


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("v20.18.9", False),
        ("v20.19.0\n", True),
        ("v21.7.0", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v23.5.0", False),
        ("v24.0.0", True),
        ("v18.20.1", False),
        ("", False),
        ("node 24", False),
    ],
)
def test_which_node_is_new_enough(version: str, good: bool) -> None:
    assert pages.new_enough(version) is good


def test_node_from_pypi_when_the_system_has_none(
    places: Places, ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(Dry, "ran", ran, raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    node = pages._pypi_node(places, Dry(places.install_log))
    assert "--target" in ran[0]
    assert "requirements-node.lock" in ran[0]
    assert all(str(places.node) in part for part in (*node.npm, node.folder))
    pages._pypi_node(places, Dry(places.install_log))
    assert len(ran) == 1


def test_debian_packages_for_root(places: Places, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(debian, "is_root", lambda: True)
    debian.need(["python3-venv"], "Python's venv module", Dry(places.install_log))
    assert [command.split()[1] for command in ran] == ["update", "install"]
    assert ran[1].endswith("python3-venv")


def test_everybody_else_gets_the_exact_command(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debian, "is_root", lambda: False)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(StepError, match="sudo apt-get install python3-venv"):
        debian.need(["python3-venv"], "Python's venv module", steps)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(StepError, match="python3-venv"):
        debian.need(["python3-venv"], "Python's venv module", steps)


def test_debian_without_ensurepip(places: Places, ran: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(debian, "is_root", lambda: False)
    with pytest.raises(StepError, match="python3-venv"):
        environment.make_venv(places, Dry(places.install_log))
    assert ran == []


def test_chromium_is_asked_for_only_by_the_tests(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
    monkeypatch.setattr(debian, "is_root", lambda: False)
    if sys.platform == "linux":
        with pytest.raises(StepError, match="sudo apt-get install chromium"):
            tests.make(steps)


def test_other_verbs_install_nothing(
    places: Places, ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    became: list[list[str]] = []
    monkeypatch.setattr(installation, "become", lambda command: became.append(command) or 0)
    assert installation.prepare(places.checkout, ["status"]) == installation.NOT_RUNNING
    assert "run_all.sh start" in capsys.readouterr().err
    installation.prepare(places.checkout, ["start", "--json"])
    assert became[-1][-2:] == ["start", "--json"]
    ran.clear()
    installation.prepare(places.checkout, ["panic"])
    assert became[-1][-1] == "panic"
    installation.prepare(places.checkout, ["test", "--long"])
    assert became[-1][-2:] == [str(places.checkout / "scripts" / "check.py"), "--long"]


def load_bootstrap() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bootstrap", CHECKOUT / "scripts" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    bootstrap = load_bootstrap()
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert bootstrap.main(["start"]) == 5
    assert "3.11" in capsys.readouterr().err


def test_an_old_python_finds_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    bootstrap = load_bootstrap()
    called: list[list[str]] = []
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name == "python3.12" else None)
    monkeypatch.setattr(subprocess, "call", lambda command: called.append(command) or 3)
    assert bootstrap.main(["start"]) == 3
    assert called[0][0] == "/usr/bin/python3.12"
    assert called[0][-1] == "start"


def test_the_shell_scripts_hold_no_logic() -> None:
    for name in ("run_all", "test"):
        for suffix in ("sh", "ps1"):
            lines = (CHECKOUT / "scripts" / f"{name}.{suffix}").read_text().splitlines()
            assert len([line for line in lines if line and not line.startswith("#")]) <= 2
    assert (CHECKOUT / "scripts" / "run_all.sh").stat().st_mode & 0o111
    assert (CHECKOUT / "scripts" / "test.sh").stat().st_mode & 0o111
