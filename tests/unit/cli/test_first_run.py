"""The parts of `kitsu quickstart` and of the offer after the first words."""

import sys
from pathlib import Path

import pytest

from kitsu.config import home, read
from kitsu.errors import ConfigError
from kitsu_cli import asking
from kitsu_cli.exits import Exit, VerbError
from kitsu_cli.first_run import natural as natural_voice
from kitsu_cli.first_run import offering
from kitsu_cli.first_run.env_file import changed, save
from kitsu_cli.first_run.natural import KEY, natural
from kitsu_cli.first_run.questions import WrongAnswerError, channel, one_of
from tests.unit.cli.conftest import Kitsu
from tests.unit.cli.piper_repository import repository, write

DAY = "2026-01-30"


def test_without_a_terminal_it_says_what_to_use_instead(kitsu: Kitsu, where: Path) -> None:
    code, out, err = kitsu("quickstart")
    assert (code, out) == (Exit.USAGE, "")
    assert ".env" in err
    assert not (where / ".env").exists()


@pytest.mark.parametrize(
    ("typed", "name"),
    [("", ""), ("None", ""), ("no", ""), ("Fox_TV", "Fox_TV"), ("@fox", "fox"), ("https://www.twitch.tv/fox/", "fox")],
)
def test_channels(typed: str, name: str) -> None:
    assert channel(typed) == name


@pytest.mark.parametrize("typed", ["a b", "ab", "x" * 26, "../x", "fox\x1b", "fox#"])
def test_what_is_no_channel(typed: str) -> None:
    with pytest.raises(WrongAnswerError):
        channel(typed)


def test_words_and_their_beginnings() -> None:
    read_word = one_of("auto", "demo", "ollama")
    assert [read_word(typed) for typed in ("auto", "D", "oll")] == ["auto", "demo", "ollama"]
    for typed in ("", "x", "auto!"):
        with pytest.raises(WrongAnswerError):
            read_word(typed)


# .env


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "# quickstart: n\n# written by kitsu quickstart on 2026-01-30\nA=1\nB=\n"),
        ("X=5", "X=5\n# quickstart: n\n# written by kitsu quickstart on 2026-01-30\nA=1\nB=\n"),
        ("A=0\nX=5\nB=7\n", "A=1\nX=5\nB=\n# quickstart: n\n"),
        ("A=0\nA=3\nB=1\n", "A=0\nA=1\nB=\n# quickstart: n\n"),
        ("# quickstart: old\nexport a='0'\n\nB=1 # x\n", "A=1\n\nB=\n# quickstart: n\n"),
        ("A=1\r\nX=5\r\nB=\r\n", "A=1\r\nX=5\r\nB=\r\n# quickstart: n\r\n"),
        ('X="two\nlines\nA=no"\nA=2\nB=2', 'X="two\nlines\nA=no"\nA=1\nB=\n# quickstart: n\n'),
        ("\ufeffX=1\nA=\nB=\n", "\ufeffX=1\nA=1\nB=\n# quickstart: n\n"),
    ],
)
def test_only_our_own_lines_change(before: str, after: str) -> None:
    assert changed(before, {"A": "1", "B": ""}, ["n"], DAY) == after


def test_twice_is_the_same() -> None:
    once = changed("X=1\n", {"A": "1"}, ["n"], DAY)
    assert changed(once, {"A": "1"}, ["n"], DAY).count("A=1") == 1


def test_the_old_file_is_kept_beside(where: Path) -> None:
    env = where / ".env"
    assert save(home(), {"KITSU__POLICY__ENGINE": "scripted"}, []) is None
    env.write_text("KITSU__LOGS__LEVEL=debug\n", encoding="utf-8")
    backup = save(home(), {"KITSU__POLICY__ENGINE": "scripted"}, ["x"])
    assert backup is not None
    assert backup.read_text(encoding="utf-8") == "KITSU__LOGS__LEVEL=debug\n"
    assert read().values["policy"]["engine"] == "scripted"
    assert read().values["logs"]["level"] == "debug"
    if sys.platform != "win32":
        assert [path.stat().st_mode & 0o777 for path in (env, backup)] == [0o600, 0o600]
    assert sorted(path.name for path in where.glob(".*env*")) == sorted([".env", backup.name])


def test_nothing_is_written_that_would_stop_a_start(where: Path) -> None:
    (where / ".env").write_text("KITSU__LOGS__LEVEL=debug\n", encoding="utf-8")
    with pytest.raises(ConfigError):
        save(home(), {"KITSU__POLICY__ENGINE": "parrot"}, [])
    assert (where / ".env").read_text(encoding="utf-8") == "KITSU__LOGS__LEVEL=debug\n"


def test_an_env_file_that_is_no_text(where: Path) -> None:
    (where / ".env").write_bytes(b"\xff\xfe")
    with pytest.raises(VerbError) as caught:
        save(home(), {"A": "1"}, [])
    assert caught.value.exit_code is Exit.SETTINGS


# the natural voice


@pytest.fixture
def publisher(where: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that offers the voice; the engine counts as installed."""
    folder = write(tmp_path / "publisher", repository(KEY))
    monkeypatch.setenv("KITSU__DOWNLOADS__MIRROR", str(folder))
    monkeypatch.setattr(natural_voice.importlib.util, "find_spec", lambda name: name)
    read.cache_clear()
    return folder


def test_the_natural_voice_with_licence_and_size(where: Path, publisher: Path) -> None:
    found = natural()
    assert found.offered is not None
    assert any("License: Public Domain" in line for line in found.words())
    found.get()
    assert (where / "models" / "piper" / f"{KEY}.onnx").is_file()
    assert "here already" in natural().words()[0]
    natural().get()


def test_why_it_cannot_be_had(where: Path, publisher: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU__DOWNLOADS__MIRROR", "http://127.0.0.1:9")
    read.cache_clear()
    assert "does not answer" in natural().why_not
    monkeypatch.setenv("KITSU__DOWNLOADS__MIRROR", str(where))
    read.cache_clear()
    assert "voices.json" in natural().why_not
    monkeypatch.setattr(natural_voice.importlib.util, "find_spec", lambda name: None)
    assert "pip install" in natural().why_not


# the offer after the first words


@pytest.fixture
def asked(where: Path, publisher: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person who says no to everything."""
    questions: list[str] = []

    def no(question: str) -> bool:
        questions.append(question)
        return False

    monkeypatch.setattr(offering, "yes", no)
    monkeypatch.setattr(offering, "somebody_there", lambda: True)
    monkeypatch.setenv("KITSU__POLICY__OLLAMA_URL", "http://127.0.0.1:9")
    read.cache_clear()
    (where / "artifacts" / "turns").mkdir(parents=True)
    return questions


def spoke(where: Path) -> None:
    (where / "artifacts" / "turns" / "one.wav").touch()


def test_a_no_is_remembered(where: Path, asked: list[str]) -> None:
    spoke(where)
    offering.offer_once(home())
    offering.offer_once(home())
    assert asked == [f"Look at {KEY}?"]
    assert (where / "data" / "offered.json").is_file()


def test_never_before_she_spoke(where: Path, asked: list[str]) -> None:
    offering.offer_once(home())
    assert asked == []
    assert not (where / "data" / "offered.json").exists()


def test_never_without_a_person(where: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offering, "somebody_there", asking.somebody_there)
    spoke(where)
    offering.offer_once(home())
    assert asked == []


def test_a_failed_download_is_no_failed_start(
    where: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(offering, "yes", lambda question: True)
    spoke(where)
    offering.offer_once(home())  # the download wants to ask too, and nobody is there
    assert "--yes" in capsys.readouterr().err
