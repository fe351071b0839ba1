"""configs/obs.yaml: what is wrong in it is named with its line; steps know how to be taken back."""

from pathlib import Path

import pytest

from kitsu.config import CHECKOUT
from kitsu.errors import ConfigError
from kitsu.home import Home
from kitsu_obs.connection import Event
from kitsu_obs.hold import Hold
from kitsu_obs.performing import Performance
from kitsu_obs.picture import Picture
from kitsu_obs.presets import ObsFile, load_presets, texts
from kitsu_obs.steps import Filter, Mute, Record, Scene, Show, Stream, Text, Transition, Volume


def where(folder: Path, text: str | None = None) -> Home:
    if text is not None:
        (folder / "configs").mkdir()
        (folder / "configs" / "obs.yaml").write_text(text, encoding="utf-8")
    return Home(root=folder, logs=folder, configs=CHECKOUT / "configs")


def test_the_seed_is_the_default(tmp_path: Path) -> None:
    assert load_presets(where(tmp_path)) == ObsFile()


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    text = "presets:\n  hi:\n    - {do: scene, scene: A}\n    - {do: text, input: T, text: 'no'}\n...\n"
    steps = load_presets(where(tmp_path, text)).presets["hi"]
    assert steps == (Scene(scene="A"), Text(input="T", text="no"))
    assert texts(steps) == ("no",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("presets:\n  a: [{do: dance}]\n...\n", "line 2"),
        ("presets:\n  a: []\n...\n", "line 2"),
        ("presets:\n  a: [{do: volume, input: x, db: 99}]\n...\n", "line 2"),
        ("presets:\n  'a;rm': [{do: record}]\n...\n", "obs.yaml"),
        ("panic: {stop: [everything]}\n...\n", "line 1"),
        ("panic: {stop: [record]}\n", "half-written"),
        (
            "presets:\n  a:\n    - {do: scene, scene: S}\n    - {do: transition, transition: Cut}\n...\n",
            "must stand before",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_presets(where(tmp_path, text))
    assert caught.value.code == "bad_obs_file"
    assert words in caught.value.message


@pytest.mark.parametrize(
    ("step", "seen", "undo"),
    [
        (Scene(scene="A"), {"currentProgramSceneName": "B"}, Scene(scene="B")),
        (Scene(scene="A"), {"currentProgramSceneName": None}, None),
        (Mute(input="M"), {"inputMuted": False}, Mute(input="M", on=False)),
        (Volume(input="M", db=-3), {"inputVolumeDb": -7.5}, Volume(input="M", db=-7.5)),
        (Filter(source="S", filter="F"), {"filterEnabled": False}, Filter(source="S", filter="F", on=False)),
        (Show(scene="A", source="S", on=False), {"sceneItemEnabled": True}, Show(scene="A", source="S")),
        (Record(on=False), {"outputActive": True}, Record(on=True)),
        (Stream(on=False), {"outputActive": True}, Stream(on=True)),
        (
            Transition(transition="Cut"),
            {"transitionName": "Fade", "transitionDuration": 300},
            Transition(transition="Fade", duration_ms=300),
        ),
    ],
)
def test_every_step_can_be_taken_back(step: Scene, seen: dict[str, object], undo: Scene | None) -> None:
    assert step.undo(seen) == undo
    assert not step.is_so(seen)
    if undo is not None:
        assert undo.is_so(seen)


def test_the_oldest_truth_is_the_way_back(tmp_path: Path) -> None:
    hold = Hold(tmp_path / "hold.json")
    hold.begin("panic")
    for before in ("Gaming", "Kitsu Safe"):
        performance = Performance.of([Scene(scene="X"), Mute(input="M")])
        performance.results[0].seen = {"currentProgramSceneName": before}
        performance.results[1].seen = {"inputMuted": before == "Kitsu Safe"}
        hold.note(performance)
    hold.write()
    again = Hold(tmp_path / "hold.json")
    again.read()
    assert again.why == "panic"
    assert again.way_back() == [Scene(scene="Gaming"), Mute(input="M", on=False)]
    again.begin("alone")
    assert again.why == "panic"  # the stronger reason stays
    again.end()
    again.write()
    assert not (tmp_path / "hold.json").exists()


def test_scenes_are_found_and_suggested() -> None:
    picture = Picture()
    picture.scenes = ("Gaming", "Just Chatting", "just chatting", "BRB")
    assert picture.named(" gaming ") == "Gaming"
    assert picture.named("JUST CHATTING") is None  # two are meant
    assert picture.named("Just Chatting") == "Just Chatting"
    assert "Did you mean 'Gaming'" in picture.suggestion("gamin")
    assert picture.suggestion("xyzzy").endswith("There are: Gaming, Just Chatting, just chatting, BRB.")
    assert Picture().suggestion("x").endswith("none at all.")


@pytest.mark.parametrize(
    "data", [{}, {"inputName": 5}, {"inputName": "M", "inputMuted": "yes"}, {"inputVolumeDb": "x"}]
)
@pytest.mark.parametrize("name", ["InputMuteStateChanged", "InputVolumeChanged", "RecordStateChanged", "Nonsense"])
def test_odd_events_change_nothing(name: str, data: dict[str, object]) -> None:
    picture = Picture()
    picture.see(Event(name, data, 0.0))
    assert picture.inputs == {}
    assert picture.outputs == {"Record": False, "Stream": False}
