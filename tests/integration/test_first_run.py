"""`kitsu doctor`, `quickstart` and the offer of `start` in a real terminal, and with everything broken."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from kitsu.home import CHECKOUT
from tests.fakes import sound_module
from tests.fakes.scripted_http import black_hole
from tests.integration.test_start_stop import free_ports
from tests.unit.cli.piper_repository import repository, write

if sys.platform == "win32":
    pytest.skip("a terminal is driven through a pseudo-terminal", allow_module_level=True)

import pexpect

KEY = "en_US-ljspeech-medium"
KITSU = ["-m", "kitsu_cli"]
CHILDREN = ["-m", "tests.fakes.kitsu_over_children"]


class Person:
    """Somebody at a terminal in front of one installation."""

    def __init__(self, home: Path) -> None:
        self.home = home
        names = ("ORCHESTRATOR", "LAUNCHER", "CONTROL")
        self.env = {name: value for name, value in os.environ.items() if not name.startswith("KITSU_")} | {
            "KITSU_HOME": str(home),
            "PYTHONPATH": str(CHECKOUT),
            "TERM": "xterm",
            "KITSU__DOWNLOADS__MIRROR": str(home / "no publisher"),
            "KITSU__POLICY__OLLAMA_URL": "http://127.0.0.1:9",
            "KITSU__TWITCH__IRC_URL": "ws://127.0.0.1:9",
            **{f"KITSU__NETWORK__{name}_PORT": str(port) for name, port in zip(names, free_ports(3), strict=True)},
        }

    def types(self, *argv: str, command: list[str] = KITSU) -> Any:
        return pexpect.spawn(
            sys.executable,
            [*command, *argv],
            env=self.env,
            cwd=str(self.home),
            encoding="utf-8",
            timeout=60,
            dimensions=(50, 120),
        )

    def runs(self, *argv: str, command: list[str] = KITSU) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *command, *argv],
            env=self.env,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    made = Person(tmp_path)
    yield made
    made.runs("stop")


def ends(terminal: Any) -> int:
    terminal.expect(pexpect.EOF)
    terminal.close()
    return int(terminal.exitstatus)


def answer(terminal: Any, *lines: str) -> None:
    for line in lines:
        terminal.expect_exact("] > ")
        terminal.sendline(line)


def test_doctor_in_a_terminal(person: Person) -> None:
    terminal = person.types("doctor")
    code = ends(terminal)
    assert code in (0, 1)
    assert "\x1b[" in terminal.before
    assert "what helps" in terminal.before


def everything_hangs(person: Person, stack: ExitStack) -> None:
    """Programs on the path, the sound system, and every port that is asked."""
    for name in ("nvidia-smi", "node", "ffmpeg"):
        script = person.home / "bin" / name
        script.parent.mkdir(exist_ok=True)
        script.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
        script.chmod(0o755)
    person.env["PATH"] = f"{person.home / 'bin'}{os.pathsep}{person.env['PATH']}"
    modules = sound_module.install(person.home / "modules", sound_module.HANGS)
    person.env["PYTHONPATH"] = f"{modules}{os.pathsep}{CHECKOUT}"
    ports = [stack.enter_context(black_hole()) for _ in range(4)]
    person.env["KITSU__POLICY__OLLAMA_URL"] = f"http://127.0.0.1:{ports[0]}"
    urls = {}
    for name, port in zip(("orchestrator", "launcher", "control"), ports[1:], strict=True):
        person.env[f"KITSU__NETWORK__{name.upper()}_PORT"] = str(port)
        urls[name] = f"http://127.0.0.1:{port}"
    for folder in ("data", "secrets"):
        (person.home / folder).mkdir()
    (person.home / "data" / "launcher.json").write_text(json.dumps({"urls": urls}), encoding="utf-8")
    (person.home / "secrets" / "token").write_text("k" * 43, encoding="utf-8")


def test_doctor_is_back_within_five_seconds_when_everything_hangs(person: Person) -> None:
    with ExitStack() as stack:
        everything_hangs(person, stack)
        began = time.monotonic()
        done = person.runs("doctor", "--json")
        took_s = time.monotonic() - began
    rows = {row["check"]: row for row in json.loads(done.stdout)["checks"]}
    assert done.returncode == 1, done.stderr
    assert took_s < 5, took_s
    assert done.stderr == ""
    assert (rows["ollama"]["state"], "says nothing" in rows["ollama"]["found"]) == ("broken", True)
    assert rows["gpu"]["state"] == "off"
    assert "did not answer" in rows["sound"]["found"]
    assert rows["python"]["state"] == "ok"


def test_doctor_is_back_when_a_file_hangs(person: Person) -> None:
    (person.home / "secrets").mkdir()
    os.mkfifo(person.home / "secrets" / "token")
    began = time.monotonic()
    done = person.runs("doctor")
    assert time.monotonic() - began < 5
    assert done.returncode == 1
    (person.home / "secrets" / "token").unlink()  # `kitsu stop` would wait for it too
    assert "no answer within" in done.stdout


def test_doctor_in_a_terminal_with_everything_broken(person: Person) -> None:
    (person.home / "data").write_text("a file where a folder should be", encoding="utf-8")
    (person.home / ".env").write_text("KITSU__TTS__ENGINE=parrot\n", encoding="utf-8")
    terminal = person.types("doctor")
    assert ends(terminal) == 1
    assert "parrot" in terminal.before
    assert "Traceback" not in terminal.before


def test_quickstart_hears_her_speak(person: Person) -> None:
    env = person.home / ".env"
    env.write_text("# mine\nKITSU__LOGS__LEVEL=debug\n", encoding="utf-8")
    terminal = person.types("quickstart")
    answer(terminal, "a b", "@fox_tv", "parrot", "demo", "", "maybe", "", "")
    terminal.expect_exact("press Enter here: she speaks.")
    terminal.sendline("")
    assert ends(terminal) == 0
    for words in (
        "espeak, first sound after",
        "scripted, first sound after",
        "reads the chat of fox_tv",
        "nobody listens",
    ):
        assert words in terminal.before
    lines = env.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["# mine", "KITSU__LOGS__LEVEL=debug"]
    assert "KITSU__POLICY__ENGINE=scripted" in lines
    assert "KITSU__TWITCH__CHANNEL=fox_tv" in lines
    assert "KITSU__VTS__ENABLED=false" in lines
    assert [path.read_text(encoding="utf-8") for path in person.home.glob(".env.*.bak")] == [
        "# mine\nKITSU__LOGS__LEVEL=debug\n"
    ]


@pytest.mark.long
def test_quickstart_while_the_show_runs(person: Person) -> None:
    person.runs("start")
    terminal = person.types("quickstart")
    answer(terminal, "", "", "", "no", "")
    terminal.expect_exact("press Enter here: she speaks.")
    terminal.sendline("")
    assert ends(terminal) == 0
    assert "KITSU__POLICY__ENGINE=auto" in (person.home / ".env").read_text(encoding="utf-8")


def test_quickstart_with_everything_broken_says_so_for_each_part(person: Person) -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(black_hole()) for _ in range(3)]
        for name, port in zip(("ORCHESTRATOR", "LAUNCHER", "CONTROL"), ports, strict=True):
            person.env[f"KITSU__NETWORK__{name}_PORT"] = str(port)
        terminal = person.types("quickstart")
        answer(terminal, "", "ollama", "", "yes", "yes")
        assert ends(terminal) == 1
    for words in ("show", "broken", "vtube studio"):
        assert words in terminal.before
    assert "Traceback" not in terminal.before


def test_quickstart_can_be_left(person: Person) -> None:
    for leave in ("\x03", "\x04"):
        terminal = person.types("quickstart")
        terminal.expect_exact("] > ")
        terminal.send(leave)
        assert ends(terminal) == 130
        assert "Traceback" not in terminal.before
    assert not (person.home / ".env").exists()


def test_a_voice_in_a_terminal_with_a_bar_and_a_question(person: Person) -> None:
    person.env["KITSU__DOWNLOADS__MIRROR"] = str(write(person.home / "publisher", repository(KEY)))
    terminal = person.types("download", "voice", KEY)
    terminal.expect_exact("License: Public Domain")
    terminal.expect_exact("Download it? [y/N] ")
    terminal.sendline("")
    assert ends(terminal) == 1
    assert not (person.home / "models").exists()
    terminal = person.types("download", "voice", KEY)
    terminal.expect_exact("[y/N] ")
    terminal.sendline("y")
    assert ends(terminal) == 0
    assert "\u2501" in terminal.before
    assert (person.home / "models" / "piper" / f"{KEY}.onnx").is_file()


def test_start_offers_a_voice_once_after_she_has_spoken(person: Person) -> None:
    person.env["KITSU_TEST_CHILDREN"] = "policy=healthy tts=healthy"
    person.env["KITSU__DOWNLOADS__MIRROR"] = str(write(person.home / "publisher", repository(KEY)))
    assert "Look at" not in _screen_of_start(person)
    (person.home / "artifacts" / "turns" / "one.wav").touch()
    assert "Look at" not in person.runs("start", command=CHILDREN).stderr
    assert not (person.home / "data" / "offered.json").exists()
    terminal = person.types("start", command=CHILDREN)
    terminal.expect_exact(f"Look at {KEY}? [y/N] ")
    terminal.sendline("")
    assert ends(terminal) == 0
    assert "Look at" not in _screen_of_start(person)


def _screen_of_start(person: Person) -> str:
    terminal = person.types("start", command=CHILDREN)
    assert ends(terminal) == 0
    return str(terminal.before)
