"""`kitsu restore` of archives that are damaged, or made to do damage: refused in one line, and nothing has changed."""

import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kitsu_cli.archive import checking
from kitsu_cli.exits import Exit
from tests.unit.cli.archives import content, repack, tree
from tests.unit.cli.conftest import Kitsu


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
