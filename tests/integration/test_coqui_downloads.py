"""`kitsu download coqui/NAME` from a real HTTP server that misbehaves, and from a folder; then the voice speaks."""

import io
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import Any

import pytest

from kitsu.config import read
from kitsu_cli.downloads import fetch
from kitsu_cli.exits import Exit
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines.coqui import CoquiVoice
from tests.fakes import coqui_library
from tests.fakes.file_server import FileServer, file_server

KEY = "de-fox-vits"
ZIP = "/v1/tts_models--de--fox--vits.zip"
CONFIG = {"model": "vits", "speakers_file": "/their/speaker_ids.json", "model_args": {"speakers_file": ["/their/x"]}}
FILES = {
    "tts--fox/model_file.pth": b"a model",
    "tts--fox/config.json": json.dumps(CONFIG).encode(),
    "tts--fox/speaker_ids.json": b'{"ann": 0}',
    "tts--fox/train.log": bytes(60_000),
}


def packed(files: dict[str, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


GOOD = packed(FILES)


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as fake:
        fake.files = {ZIP: GOOD}
        yield fake


@pytest.fixture
def models(tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of coqui's voices in an installation whose coqui-tts lists voices of the server."""
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    monkeypatch.setattr(fetch, "PAUSES_S", (0.0, 0.0, 0.0))
    coqui_library.environment(tmp_path)
    free = {"github_rls_url": f"{server.url}{ZIP}", "license": "apache 2.0", "author": "A. Fox \x1b[2J"}
    models_of = {
        "fox": {"vits": free, "vits-nc": free | {"license": "CC BY-NC-ND 4.0"}, "tacotron2": free},
        "hub": {"vits": {"repo_id": "fox/vits", "license": "mit"}},
        "odd": {"vits": free | {"github_rls_url": "ftp://example.org/x.zip"}, "vits-no": None},
        "none": {"vits": free | {"license": ""}},
    }
    coqui_library.publish(tmp_path, json.dumps({"tts_models": {"de": models_of}}))
    read.cache_clear()
    yield tmp_path / "engines" / "coqui" / "models"
    read.cache_clear()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def nothing_left(models: Path) -> bool:
    return names(models) == [] and names(models.parent / "downloads") == []


WHOLE = ["LICENCE.txt", "config.json", "model.pth", "speaker_ids.json"]


async def test_a_voice_arrives_with_its_licence_and_speaks(download: Any, models: Path) -> None:
    code, out, err = download(f"coqui/{KEY}", "--yes")
    assert (code, out) == (0, ""), err
    for words in ("License: Apache-2.0", "Author: A. Fox", "0.1 MB", "complete", f"kitsu voice coqui/{KEY}"):
        assert words in err
    assert "\x1b" not in err
    assert names(models / KEY) == WHOLE
    assert "Apache-2.0" in (models / KEY / "LICENCE.txt").read_text(encoding="utf-8")
    config = json.loads((models / KEY / "config.json").read_bytes())
    here = str(models / KEY / "speaker_ids.json")
    assert (config["speakers_file"], config["model_args"]["speakers_file"]) == (here, [here])
    assert names(models.parent / "downloads") == []
    async with AsyncExitStack() as stack:
        voice = CoquiVoice(TtsSettings())
        await voice.load(stack)
        async with aclosing(voice.speak("Hallo!")) as chunks:
            assert [chunk async for chunk in chunks]


def test_again_downloads_nothing_and_the_other_form_is_the_same(
    download: Any, models: Path, server: FileServer
) -> None:
    assert download("voice", f"coqui/{KEY}", "--yes")[0] == 0
    server.asked.clear()
    code, out, err = download(f"coqui/{KEY}", "--yes", "--json")
    assert (code, err, server.asked) == (0, "", [])
    (row,) = json.loads(out)["voices"]
    assert (row["name"], row["state"], row["licence"][0]) == (f"coqui/{KEY}", "already here", "License: Apache-2.0")


def test_the_list_shows_what_may_be_used(download: Any, models: Path) -> None:
    rows = json.loads(download("list", "coqui", "--json")[1])["voices"]
    assert [row["name"] for row in rows] == [f"coqui/{KEY}"]
    assert f"coqui/{KEY}" in download("list", "coqui/de")[1]
    assert "0 voices" in download("list", "coqui/fr")[1]


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("de-fox-vits-nc", Exit.DOWNLOAD, "CC BY-NC-ND 4.0"),
        ("de-none-vits", Exit.DOWNLOAD, "'none'"),
        ("de-fox-tacotron2", Exit.DOWNLOAD, "no coqui voice"),
        ("de-hub-vits", Exit.DOWNLOAD, "no coqui voice"),
        ("de-odd-vits", Exit.DOWNLOAD, "refused"),
        ("de-odd-vits-no", Exit.DOWNLOAD, "no coqui voice"),
        ("de-fox-vit", Exit.DOWNLOAD, f"Did you mean {KEY}"),
        ("../../etc", Exit.DOWNLOAD, "no coqui voice"),
        ("", Exit.DOWNLOAD, "no coqui voice"),
    ],
)
def test_what_is_not_on_offer(
    download: Any, models: Path, server: FileServer, name: str, code: int, words: str
) -> None:
    got, _, err = download(f"coqui/{name}", "--yes")
    assert (got, words in err) == (code, True), err
    assert server.asked == []
    assert nothing_left(models)


def test_without_coqui_it_says_how_to_install_it(download: Any, models: Path) -> None:
    shutil.rmtree(models.parent / "venv")
    for argv in (("list", "coqui"), (f"coqui/{KEY}", "--yes")):
        code, _, err = download(*argv)
        assert (code, "kitsu install coqui" in err) == (Exit.REFUSED, True)


def test_without_a_yes_nothing_is_fetched(download: Any, models: Path) -> None:
    code, _, err = download(f"coqui/{KEY}")
    assert (code, "--yes" in err, "Apache-2.0" in err) == (Exit.USAGE, True, True)
    assert nothing_left(models)


@pytest.mark.parametrize("form", ["folder", "http"])
def test_a_mirror_is_used_instead(
    download: Any, models: Path, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    name = ZIP.rpartition("/")[2]
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / name).write_bytes(GOOD)
    server.files = {f"/mine/{name}": GOOD}
    place = str(tmp_path / "mirror") if form == "folder" else f"{server.url}/mine"
    monkeypatch.setenv("KITSU__DOWNLOADS__MIRROR", place)
    assert download(f"coqui/{KEY}", "--yes")[0] == 0
    assert names(models / KEY) == WHOLE


def test_a_cut_connection_goes_on_where_it_stopped(download: Any, models: Path, server: FileServer) -> None:
    server.cut_after = [10**9, 20_000, 10_000]  # its size was asked; then the file, twice
    code, _, err = download(f"coqui/{KEY}", "--yes")
    assert code == 0, err
    assert [wanted for _, wanted in server.asked] == ["", "", "bytes=20000-", "bytes=30000-"]


def test_four_cuts_are_enough_and_the_next_command_goes_on(download: Any, models: Path, server: FileServer) -> None:
    server.cut_after = [10**9, 1000, 1000, 1000, 1000]
    code, _, err = download(f"coqui/{KEY}", "--yes")
    assert (code, "goes on where it stopped" in err) == (Exit.DOWNLOAD, True)
    assert names(models) == []
    server.asked.clear()
    assert download(f"coqui/{KEY}", "--yes")[0] == 0
    assert (ZIP, "bytes=4000-") in server.asked


def bomb() -> bytes:
    return packed(FILES | {"tts--fox/model_file.pth": bytes(5_000_000)}, zipfile.ZIP_DEFLATED)


def linked() -> bytes:
    data = io.BytesIO(packed({name: data for name, data in FILES.items() if "config" not in name}))
    with zipfile.ZipFile(data, "a") as archive:
        info = zipfile.ZipInfo("tts--fox/config.json")
        info.external_attr = 0o120777 << 16
        archive.writestr(info, "/etc/passwd")
    return data.getvalue()


@pytest.mark.parametrize(
    "body",
    [
        b"<html>no such file</html>" * 99,
        GOOD[:-30],
        GOOD.replace(b"a model", b"another"),
        packed({"x/config.json": b"{}"}),
        packed({"x/model_file.pth": b"a model"}),
        packed(FILES | {"other/config.json": b"{}"}),
        packed(FILES | {f"x/{n}": b"" for n in range(101)}),
        bomb(),
        linked(),
    ],
    ids=["page", "short", "changed", "no model", "no config", "twice", "many", "bomb", "link"],
)
def test_what_is_no_voice_is_thrown_away(download: Any, models: Path, server: FileServer, body: bytes) -> None:
    server.files = {ZIP: body}
    code, _, err = download(f"coqui/{KEY}", "--yes")
    assert (code, "thrown away" in err) == (Exit.DOWNLOAD, True), err
    assert nothing_left(models)


def test_paths_in_the_archive_lead_nowhere(download: Any, models: Path, server: FileServer) -> None:
    evil = {"../../../README.md": b"1", "/LICENSE": b"2", "..\\..\\scale_stats.npy": b"3", "x/run.exe": b"4"}
    server.files = {ZIP: packed(FILES | evil)}
    assert download(f"coqui/{KEY}", "--yes")[0] == 0
    assert set(names(models / KEY)) == {*WHOLE, "README.md", "LICENSE", "scale_stats.npy"}
    home = models.parents[2]
    assert not [path for path in (home / "README.md", home.parent / "README.md") if path.exists()]


def test_a_file_whose_size_nobody_says_or_that_is_gone(download: Any, models: Path, server: FileServer) -> None:
    server.files = {ZIP: b""}
    assert "how large" in download(f"coqui/{KEY}", "--yes")[2]
    server.files = {}
    assert "has no" in download(f"coqui/{KEY}", "--yes")[2]
    assert nothing_left(models)


def test_no_room(download: Any, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=50_000_000 + len(GOOD)))
    code, _, err = download(f"coqui/{KEY}", "--yes")
    assert (code, "not enough room" in err) == (Exit.FILE, True)
    assert nothing_left(models)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"tts_models": []}', '{"tts_models": {"de": 3}}', "[" * 100_000])
def test_a_list_that_is_none(download: Any, models: Path, text: str) -> None:
    coqui_library.publish(models.parents[2], text)
    code, _, err = download("list", "coqui")
    assert (code, err.count("\n")) == (Exit.DOWNLOAD, 1)
