"""`kitsu devices` over a sound system that stands in for PortAudio."""

import json
from array import array
from pathlib import Path
from typing import Any

import pytest

from kitsu import soundcard
from kitsu.soundcard.process import tone
from kitsu_cli.exits import Exit
from kitsu_cli.screen import WIDTH
from tests.fakes import sound_module
from tests.fakes.orchestrator_rest import FakeRest
from tests.unit.cli.conftest import Kitsu


@pytest.fixture
def sound(where: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Install it; returns its folder."""

    def install(source: str = sound_module.SOURCE) -> Path:
        folder = sound_module.install(where / "modules", source)
        monkeypatch.setenv("PYTHONPATH", sound_module.first(folder))
        return folder

    return install


def played(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "played.json").read_text(encoding="utf-8"))
    return found


def test_the_list(kitsu: Kitsu, sound: Any) -> None:
    sound()
    code, out, _ = kitsu("devices")
    assert code == 0
    assert "2 *" in out
    assert out.index("Headphones") < out.index("To be heard there") > out.index("Microphone")
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= WIDTH
    listed = json.loads(kitsu("devices", "--json")[1])
    assert [(row["number"], row["name"], row["channels"]) for row in listed["microphones"]] == [(0, "Microphone", 1)]
    rows = listed["devices"]
    assert [(row["number"], row["host"], row["default"]) for row in rows] == [
        (1, "JACK", False),
        (2, "ALSA", True),
        (3, "ALSA", False),
    ]


@pytest.mark.parametrize(
    ("argv", "device"),
    [([], 2), (["default"], 2), (["1"], 1), (["headphones"], 2), (["Headphones, JACK"], 1), (["jack"], 1)],
)
def test_a_tone(kitsu: Kitsu, sound: Any, argv: list[str], device: int) -> None:
    folder = sound()
    code, out, err = kitsu("devices", "--test", *argv)
    assert (code, "one second of a tone" in out) == (0, True), err
    about = played(folder)
    assert about["device"] == device
    assert about["bytes"] == about["rate"] * about["channels"] * 2
    assert json.loads(kitsu("devices", "--test", *argv, "--json")[1])["played"]["number"] == device


@pytest.mark.parametrize(
    ("source", "argv", "words"),
    [
        (sound_module.SOURCE, ["--test", "Speakers"], "no device 'Speakers'"),
        (sound_module.SOURCE, ["--test", "0"], "no device '0'"),
        (sound_module.SOURCE, ["--test", "3"], "cannot be opened: Device unavailable"),
        (sound_module.SOURCE + "\ndef query_devices():\n    return []\n", ["--test"], "no device to play on"),
        (sound_module.NO_PORTAUDIO, [], "PortAudio is not installed"),
        (sound_module.NOT_INSTALLED, ["--test"], "pip install kitsu[sound]"),
        (sound_module.CRASHES, [], "crashed"),
        (sound_module.HANGS, [], "did not answer"),
    ],
)
def test_no_sound(
    kitsu: Kitsu, sound: Any, monkeypatch: pytest.MonkeyPatch, source: str, argv: list[str], words: str
) -> None:
    monkeypatch.setattr(soundcard, "LIST_S", 0.5 if source == sound_module.HANGS else 10.0)
    sound(source)
    code, out, err = kitsu("devices", *argv)
    assert (code, out, err.count("\n")) == (Exit.NO, "", 1)
    assert words in err
    assert "\x1b" not in err


@pytest.mark.parametrize("volume", ["-1", "101", "loud"])
def test_volumes_that_are_none(kitsu: Kitsu, volume: str) -> None:
    assert kitsu("devices", "--test", "--volume", volume)[0] == Exit.USAGE


@pytest.mark.parametrize(("volume", "peak"), [(100, 4125), (50, 2063), (0, 0)])
def test_the_tone_is_minus_18_dbfs_for_one_second_with_soft_ends(volume: int, peak: int) -> None:
    samples = array("h", tone(48_000, 2, volume))
    assert len(samples) == 96_000
    assert max(samples) == pytest.approx(peak, abs=2)
    assert samples[0] == samples[-1] == 0
    assert max(map(abs, samples[:200])) <= peak * 0.11
    assert max(map(abs, samples[-200:])) <= peak * 0.11
    assert samples[0::2] == samples[1::2]


FOUND = {
    "chosen": "Old \x1b[2J box, MME",
    "playing": "",
    "trouble": "The sound device Old \x1b[2J box, MME is not there. " + "Overlay and pages play until it is. " * 5,
    "there": ["Speakers, WASAPI", "x" * 300],
    "default": "Speakers, WASAPI",
}


def test_which_device_plays(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["GET /devices"] = (200, FOUND)
    code, out, _ = kitsu("device")
    assert code == 0
    for words in ("Speakers, WASAPI (the system's default)", "Old", "none: overlay and pages", "is not there"):
        assert words in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= WIDTH
    rest.answers["GET /devices"] = (200, FOUND | {"playing": "Speakers, WASAPI", "chosen": "default", "trouble": ""})
    assert "* Speakers, WASAPI" in kitsu("device")[1]
    assert json.loads(kitsu("device", "--json")[1])["chosen"] == "default"


@pytest.mark.parametrize(
    ("device", "words"),
    [("", "overlay and pages only"), ("default", "the system's default"), ("Box \x1b[2J, ALSA", "Box")],
)
def test_another_device(kitsu: Kitsu, rest: FakeRest, device: str, words: str) -> None:
    rest.answers["POST /control/device"] = (200, {"device": device})
    code, out, _ = kitsu("device", "box")
    assert (code, words in out, "\x1b" in out) == (0, True, False)
    assert rest.asked[-1].body == {"device": "box"}
    refusal = {"error": {"code": "device_missing", "message": "There is no device 'box'."}}
    rest.answers["POST /control/device"] = (404, refusal)
    assert kitsu("device", "box")[0] == Exit.REFUSED
