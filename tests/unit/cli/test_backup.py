"""`kitsu backup` and `restore`: there and back again, also while the show runs, and when it fails midway."""

import json
import sqlite3
import stat
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from kitsu.filelock import FileLock
from kitsu_cli.archive import restore
from kitsu_cli.exits import Exit
from tests.fakes.orchestrator_rest import TOKEN
from tests.unit.cli.archives import KEY, content, repack, tree
from tests.unit.cli.conftest import Kitsu


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
