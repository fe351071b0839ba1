"""Secrets that Kitsu makes for itself."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kitsu.config import make_secret, read_secret
from kitsu.errors import ConfigError


def test_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "token"
    token = make_secret(path)
    assert len(token) >= 32
    assert make_secret(path) == read_secret(path) == token
    assert [file.name for file in path.parent.iterdir()] == ["token"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a profile's files apart by other means")
def test_only_the_owner_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "token"
    make_secret(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        read_secret(path)


def test_all_who_ask_at_once_get_the_same_one(tmp_path: Path) -> None:
    path = tmp_path / "token"
    with ThreadPoolExecutor(8) as pool:
        tokens = set(pool.map(lambda _: make_secret(path), range(32)))
    assert tokens == {read_secret(path)}


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("os.link", refuse)
    assert len(make_secret(tmp_path / "token")) >= 32


LONG_ENOUGH = b"x" * 43
NO_TOKENS = {
    "empty": b"",
    "blank": b"\n",
    "short": b"short",
    "two words": LONG_ENOUGH + b" " + LONG_ENOUGH,
    "not ASCII": "ü".encode() * 40,
    "not UTF-8": b"\xff" * 43,
    "zeros": bytes(43),
    "a whole file": b"x" * 10_000,
}


@pytest.mark.parametrize("content", NO_TOKENS.values(), ids=NO_TOKENS)
def test_what_is_no_token_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(0o600)
    for use in (read_secret, make_secret):
        with pytest.raises(ConfigError) as caught:
            use(path)
        assert caught.value.code == "bad_token_file"
        assert str(path) in caught.value.message


def test_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is missing"):
        read_secret(tmp_path / "token")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_secret(tmp_path)


def test_no_place_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError) as caught:
        make_secret(tmp_path / "file" / "token")
    assert caught.value.code == "home_not_writable"
