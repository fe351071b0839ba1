"""Where things are."""

import sys
from pathlib import Path

import pytest

from kitsu.config import CHECKOUT, Home, home
from kitsu.errors import ConfigError


def test_the_checkout_is_the_default_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KITSU_HOME", "KITSU_LOG_ROOT", "KITSU_CONFIGS"):
        monkeypatch.delenv(name, raising=False)
    where = home()
    assert where == Home(root=CHECKOUT, logs=CHECKOUT / "logs", configs=CHECKOUT / "configs")
    assert (CHECKOUT / "pyproject.toml").is_file()


def test_variables_move_everything_that_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KITSU_LOG_ROOT", str(tmp_path / "logs"))
    where = home()
    where.make()
    written = [where.data, where.secrets, where.artifacts, where.turns]
    assert all(folder.is_dir() and folder.is_relative_to(tmp_path / "home") for folder in written)
    assert where.logs == tmp_path / "logs"
    assert where.token_file == tmp_path / "home" / "secrets" / "token"
    where.make()  # again does no harm


def test_relative_homes_do_not_move_with_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KITSU_HOME", "show")
    assert home().root == tmp_path / "show"


def test_a_settings_file_of_ones_own_wins(tmp_path: Path) -> None:
    where = Home(root=tmp_path, logs=tmp_path / "logs", configs=tmp_path / "seeds")
    assert where.settings_file == tmp_path / "seeds" / "kitsu.yaml"
    own = tmp_path / "configs" / "kitsu.yaml"
    own.parent.mkdir()
    own.touch()
    assert where.settings_file == own


def test_a_home_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    where = Home(root=tmp_path / "file", logs=tmp_path / "logs", configs=tmp_path)
    with pytest.raises(ConfigError) as caught:
        where.make()
    assert caught.value.code == "home_not_writable"
    assert "KITSU_HOME" in caught.value.message


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_secrets_are_for_the_owner(tmp_path: Path) -> None:
    where = Home(root=tmp_path, logs=tmp_path / "logs", configs=tmp_path)
    where.make()
    assert where.secrets.stat().st_mode & 0o777 == 0o700
