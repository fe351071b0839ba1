"""Logging in at Twitch by Device Code Flow, against the fake."""

import asyncio
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from kitsu.config import make_secret
from kitsu.errors import EngineError
from kitsu_twitch.config import TwitchSettings
from kitsu_twitch.login import log_in
from kitsu_twitch.tokens import Login, LoginFile
from tests.fakes.twitch import FakeTwitch


async def begun(twitch: FakeTwitch, folder: Path, **settings: str) -> tuple[asyncio.Task[Login], LoginFile]:
    """A login that waits for somebody to agree."""
    file = LoginFile(folder / "secrets" / "twitch.json")
    task = asyncio.create_task(log_in(TwitchSettings(**{**twitch.settings, **settings}), file))
    if not settings:
        await twitch.device()
    return task, file


async def test_agreeing_keeps_a_login_that_only_its_owner_can_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with FakeTwitch() as twitch:
        task, file = await begun(twitch, tmp_path)
        twitch.allow()
        login = await task
        assert (login.login, login.missing) == ("kitsubot", [])
        assert file.read() == login
        if sys.platform != "win32":
            assert stat.S_IMODE((tmp_path / "secrets" / "twitch.json").stat().st_mode) == 0o600
        shown = capsys.readouterr()
        assert "https://www.twitch.tv/activate?" in shown.err
        assert login.access not in shown.err + shown.out
        (device,) = twitch.world.devices.values()
        assert {"user:read:chat", "user:write:chat"} <= set(device.scopes)
        assert [path for _, path in twitch.world.asked if "client_credentials" in path] == [], "no secret is needed"


async def test_saying_no_changes_nothing(tmp_path: Path) -> None:
    async with FakeTwitch() as twitch:
        task, file = await begun(twitch, tmp_path)
        twitch.deny()
        with pytest.raises(EngineError) as caught:
            await task
        assert caught.value.code == "login_denied"
        assert file.read() is None


async def test_nobody_agreeing_ends_some_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_twitch.login.LONGEST_S", 0.2)
    async with FakeTwitch() as twitch:
        task, _ = await begun(twitch, tmp_path)
        with pytest.raises(EngineError) as caught:
            await task
        assert caught.value.code == "login_too_late"


@pytest.mark.parametrize(
    ("setting", "value", "code"),
    [
        ("client_id", "", "no_client_id"),
        ("client_id", "unknown", "bad_client_id"),
        ("id_url", "http://127.0.0.1:9/", "twitch_unreachable"),
    ],
)
async def test_what_is_wrong_is_said(tmp_path: Path, setting: str, value: str, code: str) -> None:
    async with FakeTwitch() as twitch:
        task, _ = await begun(twitch, tmp_path, **{setting: value})
        with pytest.raises(EngineError) as caught:
            await task
        assert caught.value.code == code


async def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "kitsu.yaml").touch()
    make_secret(tmp_path / "secrets" / "token")
    async with FakeTwitch() as twitch:
        settings = {f"KITSU__TWITCH__{name}".upper(): value for name, value in twitch.settings.items()}
        environment = {**os.environ, **settings, "KITSU_HOME": str(tmp_path), "KITSU__NETWORK__LAUNCHER_PORT": "9"}
        pipe = asyncio.subprocess.PIPE
        command = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kitsu_cli", "login", "twitch", "--json", env=environment, stdout=pipe, stderr=pipe
        )
        await twitch.device()
        twitch.allow()
        out, err = await command.communicate()
        assert command.returncode == 0, err
        assert json.loads(out) == {"login": "kitsubot", "missing": [], "restarted": False}
        assert b"activate" in err
        assert LoginFile(tmp_path / "secrets" / "twitch.json").read() is not None


@pytest.mark.parametrize("text", [b"", b"null", b"{}", b"[1]", b"\xff", b'{"client_id": 5}', b"[" * 5000])
def test_a_broken_file_is_told_not_a_crash(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "twitch.json"
    path.write_bytes(text)
    with pytest.raises(EngineError) as caught:
        LoginFile(path).read()
    assert caught.value.code == "login_unreadable"
    assert "kitsu login twitch" in caught.value.message
