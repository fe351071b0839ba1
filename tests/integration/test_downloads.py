"""`kitsu download voice` from a real HTTP server that misbehaves, and from a folder."""

import errno
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kitsu.config import read
from kitsu_cli.downloads import fetch
from kitsu_cli.exits import Exit
from tests.fakes.file_server import FileServer, file_server
from tests.unit.cli.piper_repository import FOLDER, KEY, repository, write

MODEL = f"/{FOLDER}/{KEY}.onnx"
CONTENT = repository("de_DE-dachs-medium")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as fake:
        fake.files = {f"/{path}": data for path, data in CONTENT.items()}
        yield fake


@pytest.fixture
def voices(tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of voices of an installation that downloads from the server, without pauses between tries."""
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    monkeypatch.setenv("KITSU__DOWNLOADS__PIPER_URL", server.url)
    monkeypatch.setattr(fetch, "PAUSES_S", (0.0, 0.0, 0.0))
    read.cache_clear()
    yield tmp_path / "models" / "piper"
    read.cache_clear()


Said = tuple[int, str, str]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


WHOLE = [f"{KEY}.MODEL_CARD.txt", f"{KEY}.onnx", f"{KEY}.onnx.json"]


def test_a_voice_arrives_with_its_licence(download: Any, voices: Path) -> None:
    code, out, err = download("voice", KEY, "--yes")
    assert (code, out) == (0, ""), err
    assert names(voices) == WHOLE
    assert (voices / f"{KEY}.onnx").read_bytes() == CONTENT[MODEL[1:]]
    assert "License: Public Domain" in (voices / WHOLE[0]).read_text(encoding="utf-8")
    assert "License: Public Domain" in err
    assert "0.1 MB" in err
    assert "complete" in err
    assert "\x1b" not in err


def test_again_downloads_nothing(download: Any, voices: Path, server: FileServer) -> None:
    download("voice", KEY, "--yes")
    server.asked.clear()
    code, out, err = download("voice", KEY, "--yes", "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    (row,) = json.loads(out)["voices"]
    assert (row["name"], row["state"]) == (KEY, "already here")
    assert MODEL not in [path for path, _ in server.asked]


@pytest.mark.parametrize("form", ["folder", "file", "http"])
def test_a_mirror_is_used_instead(
    download: Any, voices: Path, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    mirror = write(tmp_path / "my mirror", CONTENT)
    place = {"folder": str(mirror), "file": mirror.as_uri(), "http": server.url}[form]
    monkeypatch.setenv("KITSU__DOWNLOADS__PIPER_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("KITSU__DOWNLOADS__MIRROR", place)
    assert download("voice", KEY, "--yes")[0] == 0
    assert names(voices) == WHOLE


def test_a_cut_connection_goes_on_where_it_stopped(download: Any, voices: Path, server: FileServer) -> None:
    server.cut_after = [10**9, 10**9, 10**9, 20_000, 10_000]  # list, card, description; then the model, twice
    code, _, err = download("voice", KEY, "--yes")
    assert code == 0, err
    assert [wanted for path, wanted in server.asked if path == MODEL] == ["", "bytes=20000-", "bytes=30000-"]
    assert names(voices) == WHOLE


def test_four_cuts_are_enough_and_the_next_command_goes_on(download: Any, voices: Path, server: FileServer) -> None:
    server.cut_after = [10**9, 10**9, 10**9, 1000, 1000, 1000, 1000]
    code, _, err = download("voice", KEY, "--yes")
    assert code == Exit.DOWNLOAD
    assert "Run the same command again: it goes on where it stopped." in err
    assert (voices / f"{KEY}.onnx.part").stat().st_size == 4000
    server.asked.clear()
    assert download("voice", KEY, "--yes")[0] == 0
    assert (MODEL, "bytes=4000-") in server.asked
    assert names(voices) == WHOLE


def test_a_server_without_range_starts_over(download: Any, voices: Path, server: FileServer) -> None:
    server.knows_range = False
    server.cut_after = [10**9, 10**9, 10**9, 20_000]
    assert download("voice", KEY, "--yes")[0] == 0
    assert (voices / f"{KEY}.onnx").read_bytes() == CONTENT[MODEL[1:]]


def test_another_part_than_asked_for_is_refused(download: Any, voices: Path, server: FileServer) -> None:
    server.cut_after = [10**9, 10**9, 10**9, 20_000]
    server.range_start = 30_000
    code, _, err = download("voice", KEY, "--yes")
    assert code == Exit.DOWNLOAD
    assert "another part" in err


def test_wrong_bytes_are_thrown_away(download: Any, voices: Path, server: FileServer) -> None:
    server.wrong = {MODEL}
    code, _, err = download("voice", KEY, "--yes")
    assert code == Exit.DOWNLOAD
    assert "wrong checksum" in err
    assert names(voices) == []


def test_a_longer_file_is_thrown_away(download: Any, voices: Path, server: FileServer) -> None:
    server.longer = {MODEL: bytes(9)}
    code, _, err = download("voice", KEY, "--yes")
    assert (code, "larger than its publisher says" in err) == (Exit.DOWNLOAD, True)
    assert names(voices) == []


def test_a_wrong_content_length_is_a_cut(download: Any, voices: Path, server: FileServer) -> None:
    server.claim = {MODEL: 500}
    code, _, err = download("voice", KEY, "--yes")
    assert code == 0  # all bytes came: the checksum decides
    assert names(voices) == WHOLE, err


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [([500, 503], 0, ""), ([500] * 4, 10, "HTTP 500"), ([404], 10, "has no"), ([403], 10, "HTTP 403")],
)
def test_statuses(download: Any, voices: Path, server: FileServer, status: list[int], code: int, words: str) -> None:
    server.status = {MODEL: status}
    got, _, err = download("voice", KEY, "--yes")
    assert got == code, err
    assert words in err


def test_redirects_are_followed_and_loops_are_not(download: Any, voices: Path, server: FileServer) -> None:
    server.files["/elsewhere"] = server.files[MODEL]
    server.redirect = {MODEL: "/elsewhere"}
    assert download("voice", KEY, "--yes")[0] == 0
    shutil.rmtree(voices)
    for target, words in ((MODEL, "in circles"), ("file:///etc/hosts", "neither http nor https")):
        server.redirect = {MODEL: target}
        code, _, err = download("voice", KEY, "--yes")
        assert (code, words in err) == (Exit.DOWNLOAD, True), err


def test_nobody_there(download: Any, voices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU__DOWNLOADS__MIRROR", "http://127.0.0.1:9")
    code, _, err = download("voice", KEY, "--yes")
    assert (code, err.count("\n")) == (Exit.DOWNLOAD, 1)
    monkeypatch.setenv("KITSU__DOWNLOADS__MIRROR", "http://user:hush@127.0.0.1:9/x")
    read.cache_clear()
    assert "hush" not in download("list")[2]


def test_no_room_is_said_before_anything_comes(
    download: Any, voices: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(voices.parents[1])
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=50_000_000))
    code, _, err = download("voice", KEY, "--yes")
    assert (code, "not enough room" in err) == (Exit.FILE, True)
    assert MODEL not in [path for path, _ in server.asked]
    assert names(voices) == []


def test_a_disk_that_fills_up_keeps_nothing(download: Any, voices: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch.os, "fsync", full)
    code, _, err = download("voice", KEY, "--yes")
    assert (code, "not enough room" in err) == (Exit.FILE, True)
    assert names(voices) == []


def test_without_a_terminal_it_needs_a_yes(download: Any, voices: Path) -> None:
    code, _, err = download("voice", KEY)
    assert (code, "--yes" in err) == (Exit.USAGE, True)
    assert "License: Public Domain" in err
    assert names(voices) == []


def test_one_download_at_a_time(download: Any, voices: Path) -> None:
    from kitsu_cli.downloads.piper import alone

    with alone(voices):
        code, _, err = download("voice", KEY, "--yes")
    assert (code, "Another" in err) == (Exit.REFUSED, True)
    assert download("voice", KEY, "--yes")[0] == 0


def test_the_list(download: Any, voices: Path) -> None:
    download("voice", KEY, "--yes")
    _, out, _ = download("list")
    assert "de_DE-dachs-medium" in out
    assert f"{KEY} " in out
    assert "✓ here" in out
    assert max(map(len, out.splitlines())) <= 100
    rows = json.loads(download("list", "de", "--json")[1])["voices"]
    assert [(row["name"], row["here"]) for row in rows] == [("de_DE-dachs-medium", False)]
    assert download()[1] == out


def test_a_name_that_is_not_there(download: Any, voices: Path) -> None:
    code, _, err = download("voice", "en_US-box-low", "--yes")
    assert code == Exit.DOWNLOAD
    assert KEY in err
    assert download("voice")[0] == Exit.USAGE
    assert download("song")[0] == Exit.USAGE


def test_a_slow_server_is_waited_for(download: Any, voices: Path, server: FileServer) -> None:
    server.piece_s = 0.002
    assert download("voice", KEY, "--yes")[0] == 0


def test_a_folder_that_cannot_be_written(download: Any, voices: Path) -> None:
    voices.parent.mkdir()
    voices.write_text("a file where a folder should be")
    code, _, err = download("voice", KEY, "--yes")
    assert (code, str(voices) in err) == (Exit.FILE, True)


def test_a_list_without_end_is_refused(download: Any, voices: Path, server: FileServer) -> None:
    server.files["/voices.json"] = b" " * 20_000_001
    code, _, err = download("list")
    assert (code, "larger than 20 MB" in err) == (Exit.DOWNLOAD, True)
