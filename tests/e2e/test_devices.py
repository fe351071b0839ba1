"""The sound device of a real show: chosen by command, refused, pulled out, kept over a restart of playout."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.launched import LaunchedShow, launched, until
from tests.fakes import sound_module

JACK, ALSA = "Headphones, JACK", "Headphones, ALSA"
LINE = "A small fox found a microphone in the snow."


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sound_module.install(tmp_path_factory.mktemp("modules") / "modules")


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory, modules: Path) -> Iterator[LaunchedShow]:
    with launched(tmp_path_factory.mktemp("devices"), PYTHONPATH=sound_module.first(modules)) as running:
        yield running


def device(show: LaunchedShow) -> dict[str, Any]:
    found: dict[str, Any] = show.call("GET", "/status")["device"]
    return found


def test_a_device_is_chosen_while_the_show_runs(show: LaunchedShow, modules: Path) -> None:
    listed = json.loads(show.kitsu("device", "--json").stdout)
    assert (listed["chosen"], listed["playing"], listed["default"]) == ("", "", ALSA)
    assert listed["there"][:2] == [JACK, ALSA]
    answer = show.kitsu("device", "jack")
    assert (answer.returncode, JACK in answer.stdout) == (0, True), answer.stderr
    turn = show.ended(show.say(LINE))
    assert turn["heard"] == LINE, turn
    assert len(sound_module.heard(modules, 1)) / 96 >= 0.8 * turn["audio_ms"]
    assert sound_module.heard(modules, 2) == b""
    assert f"* {JACK}" in show.kitsu("device").stdout


def test_an_unknown_device_is_refused_and_nothing_changes(show: LaunchedShow) -> None:
    for wrong, code in (("Speakers", "device_missing"), ("3", "device_failed")):
        answer = show.kitsu("device", wrong)
        assert answer.returncode == 7, answer.stdout
        assert "kitsu device" in answer.stderr
        try_json = show.call("POST", "/control/device", {"device": wrong})
        assert try_json["error"]["code"] == code
        until(lambda: device(show)["playing"] == JACK)
        assert (device(show)["chosen"], device(show)["trouble"]) == (JACK, "")


def test_a_restart_of_playout_keeps_the_choice_even_when_the_device_is_away(show: LaunchedShow, modules: Path) -> None:
    assert show.kitsu("restart", "playout").returncode == 0
    until(lambda: device(show)["playing"] == JACK)
    sound_module.unplug(modules, 1)
    until(lambda: device(show)["trouble"])
    status = show.kitsu("status")
    assert "is not there" in status.stdout
    assert "device_lost" in show.kitsu("logs", "orchestrator").stdout
    assert show.ended(show.say(LINE))["heard"] == LINE, "the show goes on without it"
    assert show.kitsu("restart", "playout").returncode == 0
    until(lambda: device(show)["chosen"] == JACK)
    sound_module.unplug(modules)
    until(lambda: device(show)["playing"] == JACK, 20)
    assert device(show)["trouble"] == ""


def test_default_and_none(show: LaunchedShow) -> None:
    assert "default" in show.kitsu("device", "default").stdout
    assert (device(show)["chosen"], device(show)["playing"]) == ("default", ALSA)
    assert json.loads(show.kitsu("device", "none", "--json").stdout) == {"device": ""}
    assert device(show)["playing"] == ""
