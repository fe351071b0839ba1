"""`kitsu backup`, `restore`, `support-bundle`: what is in them; archives that are damaged or made to do damage."""

import hashlib
import json
import sqlite3
import stat
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kitsu.config import read
from kitsu.filelock import FileLock
from kitsu_cli.archive import checking, restore
from kitsu_cli.archive.redaction import Redactor
from kitsu_cli.exits import Exit
from tests.fakes.orchestrator_rest import TOKEN
from tests.unit.cli.conftest import Kitsu

KEY = "sk-very-secret-key-0123456789"
ENV = f"""# my settings
KITSU__LOGS__LEVEL=debug
KITSU__POLICY__API_KEY={KEY}
# KITSU__TTS__API_KEY=another-secret
OTHER_PROGRAM=private
KITSU__DOWNLOADS__MIRROR=https://fox:hush@mirror.example/x
"""


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


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_a_backup_has_everything_but_secrets(packed: Path) -> None:
    found = content(packed)
    assert set(found) == {
        "manifest.json",
        "settings/kitsu.yaml",
        "settings/env",
        "characters/dachs.yaml",
        "data/kitsu.db",
    }
    together = b"".join(found.values())
    for secret in (KEY, "another-secret", "private", "hush", TOKEN):
        assert secret.encode() not in together
    assert b"KITSU__LOGS__LEVEL=debug" in found["settings/env"]
    assert b"rate: 1.2" in found["settings/kitsu.yaml"]
    if sys.platform != "win32":
        assert stat.S_IMODE(packed.stat().st_mode) == 0o600


def test_with_secrets_it_warns(kitsu: Kitsu, lived_in: Path, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    code, out, _ = kitsu("backup", str(path), "--with-secrets")
    assert (code, "Keep it to yourself" in out) == (0, True)
    found = content(path)
    assert found["secrets/token"] == (TOKEN + "\n").encode()
    assert KEY.encode() in found["settings/env"]


def test_nothing_is_overwritten(kitsu: Kitsu, packed: Path) -> None:
    code, _, err = kitsu("backup", str(packed))
    assert (code, "exists already" in err) == (Exit.FILE, True)
    assert kitsu("backup", str(packed.parent / "none" / "x.zip"))[0] == Exit.FILE


def test_settings_that_say_nothing_are_left_out(kitsu: Kitsu, lived_in: Path, tmp_path: Path) -> None:
    (lived_in / "configs" / "kitsu.yaml").write_text("tts:\n  rate: 1.0\n", encoding="utf-8")
    report = json.loads(kitsu("backup", str(tmp_path / "x.zip"), "--json")[1])
    assert "settings/kitsu.yaml" not in report["files"]


def test_the_database_is_consistent_while_it_is_written(kitsu: Kitsu, lived_in: Path, tmp_path: Path) -> None:
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(lived_in / "data" / "kitsu.db", timeout=5)) as database:
            while not stop.is_set():
                database.execute("INSERT INTO turn VALUES ('a'), ('b')")
                database.commit()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        codes = [kitsu("backup", str(tmp_path / f"{number}.zip"))[0] for number in range(5)]
    finally:
        stop.set()
        writer.join()
    assert codes == [0] * 5
    for number in range(5):
        copy = tmp_path / f"{number}.db"
        copy.write_bytes(content(tmp_path / f"{number}.zip")["data/kitsu.db"])
        with closing(sqlite3.connect(copy)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            assert database.execute("SELECT count(*) FROM turn").fetchone()[0] % 2 == 1


def test_there_and_back_again(kitsu: Kitsu, lived_in: Path, packed: Path) -> None:
    (lived_in / "configs" / "kitsu.yaml").unlink()
    (lived_in / "seeds" / "characters" / "dachs.yaml").write_text("spoilt", encoding="utf-8")
    (lived_in / ".env").write_text(f"KITSU__LOGS__LEVEL=error\nKITSU__POLICY__API_KEY={KEY}\n", encoding="utf-8")
    with closing(sqlite3.connect(lived_in / "data" / "kitsu.db")) as database:
        database.execute("DELETE FROM turn")
        database.commit()
    (lived_in / "data" / "kitsu.db-wal").write_bytes(b"of the old one")
    code, out, err = kitsu("restore", str(packed))
    assert code == 0, err
    assert "rate: 1.2" in (lived_in / "configs" / "kitsu.yaml").read_text(encoding="utf-8")
    assert "Dachs" in (lived_in / "seeds" / "characters" / "dachs.yaml").read_text(encoding="utf-8")
    env = (lived_in / ".env").read_text(encoding="utf-8")
    assert "LEVEL=debug" in env
    assert f"API_KEY={KEY}" in env  # what the backup does not have is not lost
    with closing(sqlite3.connect(lived_in / "data" / "kitsu.db")) as database:
        assert database.execute("SELECT text FROM turn").fetchall() == [("hello",)]
    (kept,) = (lived_in / "data" / "replaced").iterdir()
    assert str(kept) in out
    assert (kept / "characters" / "dachs.yaml").read_text(encoding="utf-8") == "spoilt"
    assert (kept / "data" / "kitsu.db-wal").read_bytes() == b"of the old one"
    assert not list((lived_in / "data").glob(".restore-*"))
    assert not (lived_in / "data" / "launcher.lock").exists()
    again = json.loads(kitsu("restore", str(packed), "--json")[1])
    assert again == {"restored": [], "kept": None}


def test_settings_of_another_time_are_pointed_out(kitsu: Kitsu, lived_in: Path, packed: Path) -> None:
    repack(packed, {"settings/env": b"KITSU__LOGS__VOLUME=11\n"})
    code, _, err = kitsu("restore", str(packed))
    assert (code, "need a look" in err) == (0, True)


def test_not_while_the_show_runs(kitsu: Kitsu, lived_in: Path, packed: Path) -> None:
    before = tree(lived_in)
    lock = FileLock(lived_in / "data" / "launcher.lock")
    assert lock.acquire()
    code, _, err = kitsu("restore", str(packed))
    lock.release()
    assert (code, "kitsu stop" in err) == (Exit.REFUSED, True)
    assert tree(lived_in) == before


def test_a_failure_midway_leaves_all_as_it_was(
    kitsu: Kitsu, lived_in: Path, packed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lived_in / "configs" / "kitsu.yaml").write_text("tts:\n  rate: 1.5\n", encoding="utf-8")
    (lived_in / ".env").unlink()
    before = tree(lived_in)
    move = restore._move

    def fails(source: Path, target: Path) -> tuple[Path, Path]:
        if target.name == "kitsu.yaml" and target.parent.name == "configs":
            raise OSError(28, "No space left on device")
        return move(source, target)

    monkeypatch.setattr(restore, "_move", fails)
    code, _, err = kitsu("restore", str(packed))
    assert (code, "No space left" in err) == (Exit.FILE, True)
    assert tree(lived_in) == before


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".zip"
    }


# archives that are not what they should be


def repack(path: Path, changes: dict[str, bytes | None], manifest: dict[str, Any] | None = None) -> None:
    """Write the archive anew with other files, and a manifest that fits them (with `manifest` laid over it)."""
    files = {name: data for name, data in (content(path) | changes).items() if data is not None}
    about = json.loads(files.pop("manifest.json"))
    about["files"] = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("manifest.json", json.dumps(about | (manifest or {})))


def refused(kitsu: Kitsu, home: Path, path: Path, words: str) -> None:
    before = tree(home)
    code, out, err = kitsu("restore", str(path))
    assert (code, out) == (Exit.FILE, "")
    assert words in err
    assert err.count("\n") == 1
    assert tree(home) == before


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/evil",
        "C:/evil",
        "..\\evil",
        "settings/../../evil",
        "settings/other.yaml",
        "characters/../evil.yaml",
        "characters/a/b.yaml",
        "characters/Evil.yaml",
        "characters/con.yaml",
        "characters/x.yaml\n",
        "secrets/../evil",
        "secrets/.hidden",
        "secrets/nul",
        "data/panic.json",
        "data/kitsu.db-wal",
        "characters/",
        "a" * 300,
    ],
)
def test_files_that_do_not_belong(kitsu: Kitsu, lived_in: Path, packed: Path, name: str) -> None:
    repack(packed, {name: b"x"})
    refused(kitsu, lived_in, packed, "does not belong")


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ({"kitsu_backup": 2}, "newer Kitsu"),
        ({"kitsu_backup": "1"}, "was not made by"),
        ({"kitsu_backup": True}, "was not made by"),
        ({"files": []}, "was not made by"),
        ({"files": {}}, "its list of files"),
        ({"files": {"manifest.json": {}}}, "its list of files"),
    ],
)
def test_manifests(kitsu: Kitsu, lived_in: Path, packed: Path, manifest: dict[str, Any], words: str) -> None:
    repack(packed, {}, manifest)
    refused(kitsu, lived_in, packed, words)


@pytest.mark.parametrize("about", [None, 5, {}, {"bytes": 1}, {"bytes": 5, "sha256": "x"}, {"bytes": "5"}])
def test_a_manifest_that_lies_about_a_file(kitsu: Kitsu, lived_in: Path, packed: Path, about: object) -> None:
    repack(packed, dict.fromkeys(content(packed).keys() - {"manifest.json"}, None) | {"settings/env": b"A=1\n#"})
    repack(packed, {}, {"files": {"settings/env": about}})
    refused(kitsu, lived_in, packed, "settings/env")


@pytest.mark.parametrize("data", [b"[]", b"{", b"5", b"[" * 100_000, b"\xff"])
def test_a_manifest_that_is_none(kitsu: Kitsu, lived_in: Path, tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", data)
    refused(kitsu, lived_in, path, "was not made by")


def test_bombs(kitsu: Kitsu, lived_in: Path, packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repack(packed, {"characters/big.yaml": bytes((1 << 20) - 1)})
    refused(kitsu, lived_in, packed, "too large")
    repack(packed, {"characters/big.yaml": None, "settings/env": b"#" * ((1 << 20) + 1)})
    refused(kitsu, lived_in, packed, "too large")
    repack(packed, {"settings/env": b"A=1"})
    monkeypatch.setattr(checking.members, "MAX_TOTAL_BYTES", 100)
    refused(kitsu, lived_in, packed, "too large")


def test_no_room(kitsu: Kitsu, lived_in: Path, packed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SPARE_BYTES", 1 << 60)
    refused(kitsu, lived_in, packed, "not enough room")


def test_links_doubles_and_odd_packing(kitsu: Kitsu, lived_in: Path, packed: Path, tmp_path: Path) -> None:
    link = zipfile.ZipInfo("settings/env")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(kitsu, lived_in, packed, "does not belong")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("settings/env", "A=1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("settings/env", "A=2")
    refused(kitsu, lived_in, packed, "twice")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("settings/env", "A=1")
    refused(kitsu, lived_in, packed, "does not belong")


def test_damage_anywhere(kitsu: Kitsu, lived_in: Path, packed: Path) -> None:
    whole = packed.read_bytes()
    before = tree(lived_in)
    for place in range(0, len(whole), max(1, len(whole) // 60)):
        packed.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        code, _, err = kitsu("restore", str(packed))
        assert code in (0, Exit.FILE), err
        assert "Traceback" not in err
        if code:
            assert tree(lived_in) == before
        else:  # the byte meant nothing
            before = tree(lived_in)
    for cut in (0, 10, len(whole) // 2, len(whole) - 5):
        packed.write_bytes(whole[:cut])
        refused(kitsu, lived_in, packed, "refused")


def test_a_database_that_is_none(kitsu: Kitsu, lived_in: Path, packed: Path) -> None:
    repack(packed, {"data/kitsu.db": b"SQLite format 3\x00" + bytes(range(256)) * 40})
    refused(kitsu, lived_in, packed, "database is damaged")


def test_no_file_and_a_folder(kitsu: Kitsu, lived_in: Path, tmp_path: Path) -> None:
    assert kitsu("restore", str(tmp_path / "none.zip"))[0] == Exit.FILE
    assert kitsu("restore", str(tmp_path))[0] == Exit.FILE


# the bundle


def test_a_bundle_has_no_secrets_and_no_words_of_viewers(
    kitsu: Kitsu, lived_in: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [
        {"ts": "2026-01-30T10:00:01", "event": "turn.began", "pii_text": "my name is Mia", "deep": [{"pii_x": "Mia"}]},
        {
            "ts": "2026-01-30T10:00:02",
            "event": "oops",
            "exc_info": f"Bearer {TOKEN} at /x?token=abcdef&y {Path.home()}/x",
        },
        {"ts": "2026-01-30T10:00:03", "event": "link", "url": "http://127.0.0.1/#k=onceonceonce", "api_key": "plain"},
        {"ts": "2026-01-30T10:00:04", "event": f"key {KEY}", "count": 3, "text": 'say {"pii_text": "Mia"}'},
    ]
    log = lived_in / "logs" / "tts-2026-01-30.jsonl"
    log.write_text("\n".join(map(json.dumps, lines)) + '\n{"pii_text": "Mia half\n', encoding="utf-8")
    path = tmp_path / "bundle.zip"
    code, out, _ = kitsu("support-bundle", str(path))
    assert code == 0
    assert "not sent anywhere" in out
    found = content(path)
    assert set(found) == {"versions.json", "doctor.json", "settings.json", "launcher.json", "logs.json"}
    for name in found:
        assert name in out
    together = b"".join(found.values()).decode()
    for secret in (KEY, TOKEN, "Mia", "onceonceonce", "abcdef", "hush", '"plain"', str(Path.home()) + "/"):
        assert secret not in together, secret
    assert json.loads(found["settings.json"])["logs"]["level"] == "debug"
    assert 3 in [entry.get("count") for entry in json.loads(found["logs.json"])["tts"]]
    monkeypatch.chdir(tmp_path)
    made = json.loads(kitsu("support-bundle", "--json")[1])
    assert Path(made["file"]).is_file()


def test_a_bundle_of_a_broken_installation(kitsu: Kitsu, lived_in: Path, tmp_path: Path) -> None:
    (lived_in / ".env").write_text(f"KITSU__POLICY__API_KEY={KEY}\nKITSU__NETWORK__HOST=everywhere\n", encoding="utf-8")
    read.cache_clear()
    path = tmp_path / "bundle.zip"
    assert kitsu("support-bundle", str(path))[0] == 0
    found = content(path)
    assert "everywhere" in found["settings.json"].decode()
    assert KEY.encode() not in b"".join(found.values())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("password: hunter2", "password: (hidden)"),
        ("max_tokens: 220", "max_tokens: 220"),
        ("the token is fine", "the token is fine"),
        ("https://a:b@host/x", "https://(hidden)@host/x"),
        ("x" * 60, "(hidden)"),
        ("oauth:abcdefgh1234", "(hidden)"),
    ],
)
def test_what_looks_like_a_secret(text: str, shown: str) -> None:
    assert Redactor([]).clean(text) == shown
