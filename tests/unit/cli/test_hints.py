"""What `kitsu start` says is not configured."""

from pathlib import Path

import pytest

from kitsu.config import read
from kitsu_cli.hints import hints

SETTINGS = {
    "VTube Studio": "KITSU__VTS__ENABLED=true",
    "Twitch chat": "KITSU__TWITCH__CHANNEL=fox_tv",
    "OBS": "KITSU__OBS__PASSWORD=secret",
    "a sound device": "KITSU__PLAYOUT__DEVICE=default",
}


def about(what: str) -> list[str]:
    return [hint for hint in hints() if hint.startswith(f"{what}:")]


@pytest.mark.parametrize("what", SETTINGS)
def test_a_hint_goes_when_its_setting_is_there(where: Path, what: str) -> None:
    (hint,) = about(what)
    assert SETTINGS[what].partition("=")[0] in hint
    (where / ".env").write_text(SETTINGS[what] + "\n", encoding="utf-8")
    read.cache_clear()
    assert about(what) == []


def test_a_login_at_twitch_is_enough(where: Path) -> None:
    (where / "secrets" / "twitch.json").write_text("{}", encoding="utf-8")
    assert about("Twitch chat") == []
