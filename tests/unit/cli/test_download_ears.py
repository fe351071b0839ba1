"""`kitsu download ears NAME` from a folder that stands in for the publisher."""

import json
from pathlib import Path
from typing import Any

import pytest

from kitsu_cli.exits import Exit
from tests.unit.cli.conftest import Kitsu

FILES = ("config.json", "tokenizer.json", "vocabulary.txt", "model.bin")


@pytest.fixture
def publisher(where: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "publisher" / "faster-whisper-tiny.en" / "resolve" / "main"
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).write_bytes(name.encode() * 100)
    monkeypatch.setenv("KITSU__DOWNLOADS__MIRROR", str(tmp_path / "publisher"))
    return folder


def rows(out: str) -> Any:
    return json.loads(out)["ears"]


def test_a_model_and_once_more(kitsu: Kitsu, where: Path, publisher: Path) -> None:
    code, out, err = kitsu("download", "ears", "tiny.en", "--yes", "--json")
    assert code == Exit.OK, err
    assert [(row["name"], row["state"]) for row in rows(out)] == [("tiny.en", "downloaded")]
    folder = where / "models" / "whisper" / "tiny.en"
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert rows(kitsu("download", "ears", "tiny.en", "--yes", "--json")[1])[0]["state"] == "already here"


def test_one_that_nobody_has(kitsu: Kitsu, publisher: Path) -> None:
    code, _, err = kitsu("download", "ears", "enormous", "--yes")
    assert code == Exit.DOWNLOAD
    assert "large-v3" in err


def test_without_its_weights_nothing_is_left(kitsu: Kitsu, where: Path, publisher: Path) -> None:
    (publisher / "model.bin").unlink()
    code, *_ = kitsu("download", "ears", "tiny.en", "--yes")
    assert code == Exit.DOWNLOAD
    assert not list((where / "models" / "whisper").glob("*/*"))


def test_nobody_agreed(kitsu: Kitsu, where: Path, publisher: Path) -> None:
    code, *_ = kitsu("download", "ears", "tiny.en")
    assert code == Exit.USAGE
    assert not (where / "models" / "whisper" / "tiny.en").exists()
