import json
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kitsu.config import read
from kitsu_cli.__main__ import main
from tests.fakes.orchestrator_rest import TOKEN, FakeRest, fake_rest
from tests.unit.cli.archives import ENV, KEY

LAUNCHER: dict[str, Any] = {
    "pid": 1,
    "state": "running",
    "ready": True,
    "urls": {"control": "http://127.0.0.1:8100"},
    "services": [
        {
            "name": name,
            "state": "ok",
            "ready": True,
            "reason": "",
            "does": "hub, gate and turns",
            "pid": 4000000,
            "uptime_s": 3723.0,
            "restarts": 0,
        }
        for name in ("orchestrator", "policy")
    ],
}

Kitsu = Callable[..., tuple[int, str, str]]


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation that was started once, with nothing running."""
    for name in ("data", "secrets", "logs"):
        (tmp_path / name).mkdir()
    token = tmp_path / "secrets" / "token"
    token.write_text(TOKEN + "\n")
    token.chmod(0o600)
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    for key in ("KITSU_LOG_ROOT", "KITSU_CONFIGS"):
        monkeypatch.delenv(key, raising=False)
    note(tmp_path, *("http://127.0.0.1:9",) * 3)  # the discard port: nobody answers
    read.cache_clear()
    yield tmp_path
    read.cache_clear()


def note(home: Path, orchestrator: str, launcher: str, control: str) -> None:
    """Write the launcher's running file."""
    urls = {"orchestrator": orchestrator, "launcher": launcher, "control": control}
    (home / "data" / "launcher.json").write_text(json.dumps({"urls": urls, "services": {}}))


@pytest.fixture
def rest(where: Path) -> Iterator[FakeRest]:
    """The orchestrator and the control door."""
    with fake_rest() as fake:
        note(where, fake.url, "http://127.0.0.1:9", fake.url)
        yield fake


@pytest.fixture
def launcher(where: Path, rest: FakeRest) -> Iterator[FakeRest]:
    """The launcher's door."""
    ordered = {"panic_id": "x", "ordered": True, "latency_ms": 0.1, "detail": "playout has the order"}
    with fake_rest({"GET /status": (200, LAUNCHER), "POST /panic": (200, ordered)}) as fake:
        note(where, rest.url, fake.url, rest.url)
        yield fake


@pytest.fixture
def kitsu(capsys: pytest.CaptureFixture[str]) -> Kitsu:
    """Run a command line: exit code, stdout, stderr."""

    def run(*argv: str) -> tuple[int, str, str]:
        try:
            code = main(argv)
        except SystemExit as error:
            code = int(error.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    assert not sys.stdout.isatty()
    return run


@pytest.fixture
def lived_in(where: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation with settings, a character, a database and secrets."""
    monkeypatch.setenv("KITSU_CONFIGS", str(where / "seeds"))
    (where / "seeds" / "characters").mkdir(parents=True)
    (where / "seeds" / "kitsu.yaml").write_text("logs:\n", encoding="utf-8")
    (where / "seeds" / "characters" / "dachs.yaml").write_text("name: Dachs\n...\n", encoding="utf-8")
    (where / "configs").mkdir()
    (where / "configs" / "kitsu.yaml").write_text(f"tts:\n  rate: 1.2\n  api_key: {KEY}\n", encoding="utf-8")
    (where / ".env").write_text(ENV, encoding="utf-8")
    (where / "secrets" / "overlay_key").write_text("o" * 43, encoding="utf-8")
    with closing(sqlite3.connect(where / "data" / "kitsu.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE turn (text)")
        database.execute("INSERT INTO turn VALUES ('hello')")
        database.commit()
    read.cache_clear()
    yield where
    read.cache_clear()


@pytest.fixture
def packed(kitsu: Kitsu, lived_in: Path, tmp_path: Path) -> Path:
    """A backup of it."""
    path = tmp_path / "kitsu.zip"
    code, _, err = kitsu("backup", str(path))
    assert code == 0, err
    return path
