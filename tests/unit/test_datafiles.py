from pathlib import Path

import msgspec
import pytest

from kitsu.datafiles import MAX_BYTES, DataFileError, line_of, read_yaml


class Den(msgspec.Struct, forbid_unknown_fields=True):
    foxes: dict[str, tuple[str, ...]]
    rooms: int = 1


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "den.yaml"


def test_words_stay_words_and_numbers_become_numbers(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbffoxes:\r\n  kitsu: [no, on, 1, null]\r\nrooms: 3\r\n...\r\n")
    assert read_yaml(path, Den) == Den({"kitsu": ("no", "on", "1", "null")}, 3)
    assert line_of(path, "foxes", "kitsu") == 2
    assert line_of(path, "rooms") == 3


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 0, "half-written"),
        ("foxes: {}\n", 1, "half-written"),
        ("foxes: {a: [b]\n...\n", 2, "YAML"),
        ("foxes:\n  a: [b]\n  a: [c]\n...\n", 2, "'a' stands there twice"),
        ("foxes: &x {a: [b]}\nrooms: *x\n...\n", 2, "aliases"),
        ("foxes: " + "[" * 200_000 + "]" * 200_000 + "\n...\n", 1, "nested"),
        ("foxes: \x00\n...\n", 0, "not text"),
        ("foxes: {}\n---\nfoxes: {}\n...\n", 2, "YAML"),
        ("- foxes\n...\n", 1, "object"),
        ("foxes:\n  a: [b]\n  b: c\n...\n", 3, "foxes.b: Expected `array`"),
        ("foxes:\n  a: [b]\n  b: [c, [d]]\n...\n", 3, "foxes.b.1"),
        ("foxes: {}\nrooms: many\n...\n", 2, "rooms: Expected `int`"),
        ("foxes: {}\nden: 1\n...\n", 1, "den"),
    ],
)
def test_a_complaint_knows_its_line(path: Path, text: str, line: int, what: str) -> None:
    path.write_text(text)
    with pytest.raises(DataFileError) as caught:
        read_yaml(path, Den)
    assert what in str(caught.value)
    assert caught.value.line == line
    assert not caught.value.missing
    assert str(caught.value).startswith(f"{path}, line {line}: " if line else f"{path}: ")


def test_files_that_cannot_be_read(path: Path) -> None:
    with pytest.raises(DataFileError) as caught:
        read_yaml(path, Den)
    assert caught.value.missing
    with pytest.raises(DataFileError, match="cannot be read"):
        read_yaml(path.parent, Den)
    path.write_bytes(b"foxes: \xff\n...\n")
    with pytest.raises(DataFileError, match="cannot be read"):
        read_yaml(path, Den)
    path.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(DataFileError, match="larger than"):
        read_yaml(path, Den)


def test_the_line_of_what_is_not_there_is_its_parents(path: Path) -> None:
    path.write_text("foxes:\n  a: [b]\n...\n")
    assert line_of(path, "foxes", "z") == 1
    assert line_of(path, "foxes", "a", 7) == 2
    assert line_of(path, "nothing") == 1
