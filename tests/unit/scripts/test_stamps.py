import os
from pathlib import Path

import pytest

from install.stamps import Stamp


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "a.ts").write_text("a")
    (folder / "package.json").write_text("{}")
    return folder


@pytest.fixture
def stamp(tmp_path: Path, tree: Path) -> Stamp:
    made = Stamp(tmp_path / "stamps" / "pages", (tree, tmp_path / "no-such-file"))
    assert not made.fresh()
    made.write()
    assert made.fresh()
    return made


def test_other_contents_of_the_same_size(stamp: Stamp, tree: Path) -> None:
    (tree / "src" / "a.ts").write_text("b")
    os.utime(tree / "src" / "a.ts", ns=(1, 1))
    assert not stamp.fresh()


def test_new_gone_and_renamed_files(stamp: Stamp, tree: Path) -> None:
    (tree / "src" / "b.ts").write_text("b")
    assert not stamp.fresh()
    (tree / "src" / "b.ts").unlink()
    assert stamp.fresh()
    (tree / "src" / "a.ts").rename(tree / "src" / "c.ts")
    assert not stamp.fresh()


def test_a_touched_file_is_no_change_and_is_quick_again(
    stamp: Stamp, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.utime(tree / "src" / "a.ts", ns=(5, 5))
    assert stamp.fresh()
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("read although nothing changed"))
    assert stamp.fresh()


def test_what_tools_make_does_not_count(stamp: Stamp, tree: Path) -> None:
    for name in ("node_modules", "build", ".svelte-kit"):
        (tree / name).mkdir()
        (tree / name / "x").write_text("x")
    assert stamp.fresh()


def test_an_input_that_is_no_file(stamp: Stamp) -> None:
    assert not stamp._replace(extra="moved").fresh()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"quick": 1}', "\udcff"])
def test_a_broken_stamp_is_no_stamp(stamp: Stamp, text: str) -> None:
    stamp.file.write_text(text, errors="surrogateescape")
    assert not stamp.fresh()


def test_contents_cannot_pass_as_names(tmp_path: Path) -> None:
    """Two files may not look like one whose contents hold the other's name."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("ab")
    two.write_text("c")
    first = Stamp(tmp_path / "s", (one, two))
    first.write()
    one.write_text("a")
    two.write_text("bc")
    os.utime(one, ns=(9, 9))
    assert not first.fresh()
