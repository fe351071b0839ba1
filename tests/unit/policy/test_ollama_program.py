"""`ollama serve`, started by the brain: played by a small program of that name on PATH."""

import os
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from kitsu.config import CHECKOUT, PolicySettings
from kitsu.errors import EngineError
from kitsu_policy import ollama_program
from kitsu_policy.brain import Brain
from kitsu_policy.engines.auto import AutoBrain
from kitsu_policy.engines.ollama import OllamaBrain
from kitsu_policy.ollama_address import OllamaAddress
from kitsu_policy.ollama_program import serve_ollama
from tests.fakes.ollama import FakeOllama

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the program that plays Ollama is a shell script")

SERVES = """#!{python}
import asyncio, os, pathlib, sys
sys.path.insert(0, {root!r})
from tests.fakes.ollama import FakeOllama

assert sys.argv[1:] == ["serve"], sys.argv
assert not [name for name in os.environ if name.startswith("KITSU")]
pathlib.Path(__file__).with_name("pid").write_text(str(os.getpid()))

async def main():
    async with FakeOllama(port=int(os.environ["OLLAMA_HOST"].rpartition(":")[2])):
        await asyncio.sleep(60)

asyncio.run(main())
"""
ENDS = "#!/bin/sh\nexit 7\n"
SILENT = "#!/bin/sh\nexec sleep 60\n"


@pytest.fixture
def address() -> OllamaAddress:
    """One at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return OllamaAddress.parse(f"http://127.0.0.1:{listener.getsockname()[1]}")


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Make `text` the program `ollama`."""
    program = folder / "ollama"
    program.write_text(text.format(python=sys.executable, root=str(CHECKOUT)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KITSU__POLICY__API_KEY", "secret")


async def test_it_runs_until_the_end(address: OllamaAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, SERVES)
    async with AsyncExitStack() as stack:
        await serve_ollama(address, stack)
        assert await address.listens()
        pid = int((tmp_path / "pid").read_text())
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)
    assert not await address.listens()


async def test_one_that_runs_already_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, SERVES)
    async with FakeOllama() as ollama, AsyncExitStack() as stack:
        await serve_ollama(OllamaAddress.parse(ollama.url), stack)
        assert not (tmp_path / "pid").exists()


@pytest.mark.parametrize(
    ("program", "code", "text"),
    [
        (ENDS, "ollama_ended", "code 7"),
        (SILENT, "model_unreachable", "does not answer"),
        ("", "ollama_missing", "cannot be started"),
    ],
)
async def test_failures_have_names(
    program: str, code: str, text: str, address: OllamaAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ollama_program, "START_S", 0.5)
    install(tmp_path, monkeypatch, program or "#!/no/such/interpreter\n")
    async with AsyncExitStack() as stack:
        with pytest.raises(EngineError, match=code) as caught:
            await serve_ollama(address, stack)
        assert text in caught.value.message


async def test_a_program_that_is_not_installed_is_said_so(
    address: OllamaAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    settings = PolicySettings(ollama_url=address.url, ollama_autostart=True)
    for brain in (AutoBrain(settings), OllamaBrain(settings)):
        errors: list[EngineError] = []
        brain.on_error = errors.append
        async with AsyncExitStack() as stack:
            await brain.load(stack)
            assert [error.code for error in errors] == ["ollama_missing"]
            assert "not on PATH" in brain.note + brain.trouble


@pytest.mark.parametrize("engine", [AutoBrain, OllamaBrain])
async def test_the_brain_starts_it(
    engine: type[Brain], address: OllamaAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, SERVES)
    async with AsyncExitStack() as stack:
        brain = engine(PolicySettings(ollama_url=address.url, ollama_autostart=True))
        await brain.load(stack)
        assert (brain.active.name, brain.note, brain.trouble) == ("ollama", "llama3.1:8b by Ollama", "")
    assert not await address.listens()
