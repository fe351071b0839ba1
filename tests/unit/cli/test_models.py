"""`kitsu download model`: a scripted Ollama."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kitsu.config import read
from kitsu_cli.downloads import fetch, ollama
from kitsu_cli.exits import Exit
from tests.fakes.scripted_http import ScriptedHttp, scripted_http
from tests.unit.cli.conftest import Kitsu

PULL = "POST /api/pull"
GOOD = b"\n".join(
    json.dumps(line).encode()
    for line in (
        {"status": "pulling manifest"},
        {"status": "pulling 123", "digest": "sha256:1234567890", "total": 1000},
        {"status": "pulling 123", "digest": "sha256:1234567890", "total": 1000, "completed": 400},
        {"status": "pulling 123", "digest": "sha256:1234567890", "total": 1000, "completed": 1000},
        {"status": "verifying sha256 digest"},
        {"status": "success"},
    )
)


@pytest.fixture
def server(where: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedHttp]:
    monkeypatch.setattr(ollama, "PAUSES_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(fetch, "PAUSES_S", (0.0, 0.0, 0.0))
    with scripted_http() as fake:
        monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", f"{fake.url}/")
        fake.answers = {PULL: (200, GOOD), "POST /api/show": (200, b'{"license": "\\nLLAMA 3.2 LICENSE\\nmore"}')}
        read.cache_clear()
        yield fake


def test_a_model(kitsu: Kitsu, server: ScriptedHttp) -> None:
    code, out, err = kitsu("download", "model", "llama3.2:3b", "--yes")
    assert (code, out) == (0, ""), err
    assert json.loads(server.asked[0][1]) == {"model": "llama3.2:3b"}
    assert "complete" in err
    assert "LLAMA 3.2 LICENSE" in err
    report = json.loads(kitsu("download", "model", "llama3.2:3b", "--yes", "--json")[1])
    assert report == {"models": [{"name": "llama3.2:3b", "state": "downloaded", "licence": "LLAMA 3.2 LICENSE"}]}


def test_without_a_licence_it_still_arrives(kitsu: Kitsu, server: ScriptedHttp) -> None:
    for answer in (b"", b"[]", b'{"license": null}'):
        server.answers["POST /api/show"] = (200, answer)
        assert kitsu("download", "model", "x", "--yes")[0] == 0


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ("pull model manifest: file does not exist", Exit.DOWNLOAD, "no model"),
        ("write blobs: no space left on device", Exit.FILE, "no room"),
        ("Get registry: dial tcp: lookup failed", Exit.DOWNLOAD, "Run the same command again"),
        ("requires a newer version of Ollama \x1b[2J", Exit.DOWNLOAD, "newer version"),
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_its_own_errors(kitsu: Kitsu, server: ScriptedHttp, said: str, code: Exit, words: str, status: int) -> None:
    server.answers[PULL] = (status, json.dumps({"error": said}).encode())
    got, _, err = kitsu("download", "model", "x", "--yes", "--json")
    assert (got, err.count("\n")) == (code, 1)
    assert words in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>", "does not speak like Ollama"),
        (b"[]\n", "does not speak like Ollama"),
        (b'{"a":' * 50_000 + b"\n", "does not speak like Ollama"),
        (b"x" * (3 << 20), "does not speak like Ollama"),
        (b'{"status": "pulling", "total": "much", "completed": {}}\n', "broke off (it ended early)"),
        (b"", "broke off"),
    ],
)
def test_what_is_not_ollama(kitsu: Kitsu, server: ScriptedHttp, answer: bytes, words: str) -> None:
    server.answers[PULL] = (200, answer)
    code, _, err = kitsu("download", "model", "x", "--yes")
    assert (code, words in err) == (Exit.DOWNLOAD, True), err


def test_a_cut_is_tried_again(kitsu: Kitsu, server: ScriptedHttp) -> None:
    server.answers[PULL] = [(200, GOOD[:200].rpartition(b"\n")[0]), (200, GOOD)]
    assert kitsu("download", "model", "x", "--yes")[0] == 0
    assert [what for what, _ in server.asked].count(PULL) == 2


def test_nobody_there(kitsu: Kitsu, where: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", "http://127.0.0.1:9")
    code, _, err = kitsu("download", "model", "x", "--yes")
    assert (code, "start Ollama" in err) == (Exit.NOT_RUNNING, True)


def test_names_and_agreement(kitsu: Kitsu, server: ScriptedHttp) -> None:
    assert kitsu("download", "model", "../x y", "--yes")[0] == Exit.USAGE
    assert kitsu("download", "model")[0] == Exit.USAGE
    code, _, err = kitsu("download", "model", "x")
    assert (code, "--yes" in err) == (Exit.USAGE, True)
    assert server.asked == []
