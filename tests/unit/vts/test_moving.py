"""Timeline, mouth, head, and words: without a socket, in time that the test makes."""

import random
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from kitsu.characters import load_character
from kitsu.config import CHECKOUT, Home
from kitsu.errors import ConfigError
from kitsu.protocol import (
    BodyDirect,
    PlayoutFinished,
    PlayoutFrame,
    PlayoutProgress,
    SegmentHeard,
    VisemeAt,
    VisemeName,
)
from kitsu_vts.mouth import REST, SHAPES, Mouth
from kitsu_vts.sway import Blink, Sway
from kitsu_vts.timeline import MAX_SEGMENTS, MAX_SHAPES, Timeline
from kitsu_vts.token import forget_token, read_token, write_token
from kitsu_vts.vocabulary import Probed, VtsMap, load_map, read_model, resolve

MS = 48


def frame(
    at_ms: int, *shapes: VisemeName, gen: int = 1, turn: str = "t", segment: int = 0, step_ms: int = 20
) -> PlayoutFrame:
    visemes = tuple(VisemeAt(at=index * step_ms * MS, viseme=shape) for index, shape in enumerate(shapes))
    samples = max(1, len(shapes)) * step_ms * MS
    return PlayoutFrame(
        conv="stage",
        turn_id=turn,
        gen=gen,
        sink="",
        position=at_ms * MS,
        samples=samples,
        segment=segment,
        visemes=visemes,
    )


def progress(heard_ms: float, *, segment: int = 0, gen: int = 1) -> PlayoutProgress:
    heard = SegmentHeard(segment=segment, chars=0, samples=round(heard_ms * MS), total_samples=10_000 * MS)
    return PlayoutProgress(conv="stage", turn_id="t", gen=gen, heard=heard, position_ms=0, buffered_ms=0)


def test_shapes_come_in_their_time() -> None:
    line = Timeline()
    line.frame(frame(0, "aa", "PP", "ou"), 10.0)
    assert [line.viseme(10.0 + ms / 1000, 0) for ms in (1, 19, 21, 41, 59)] == ["aa", "aa", "PP", "ou", "ou"]
    assert line.viseme(10.001, 0.02) == "PP"  # ahead
    assert line.speaking(10.059)
    assert not line.speaking(10.061)
    assert line.viseme(10.061, 0) == "sil"


def test_frames_that_follow_each_other_keep_the_clock() -> None:
    """They come 80 ms ahead, in bursts: only the first one says when."""
    line = Timeline()
    line.frame(frame(0, "aa"), 10.0)
    line.frame(frame(20, "PP"), 10.001)
    line.frame(frame(40, "ou"), 10.001)
    assert line.viseme(10.045, 0) == "ou"
    line.frame(frame(300, "E"), 11.0)  # after a pause
    assert line.viseme(11.01, 0) == "E"


def test_the_audience_may_be_behind_or_far_off() -> None:
    line = Timeline()
    for at in range(0, 1000, 20):
        line.frame(frame(at, "aa"), 10.0)
    line.progress(progress(70), 10.1)  # 30 ms behind: blended
    assert line.position(10.1) / MS == pytest.approx(92.5)
    line.progress(progress(500), 10.2)  # far off: believed
    assert line.position(10.2) / MS == pytest.approx(500)
    line.progress(progress(0, gen=0), 10.3)  # stale
    line.progress(progress(0, segment=7), 10.3)  # unknown
    assert line.position(10.3) / MS == pytest.approx(600)


def test_a_flush_ends_everything_older() -> None:
    line = Timeline()
    line.direct(BodyDirect(conv="stage", turn_id="t", gen=1, segment=0, expression="smile"))
    line.direct(BodyDirect(conv="stage", turn_id="n", gen=2, segment=0, expression="sad"))
    line.frame(frame(0, "aa", "aa"), 10.0)
    line.flush(2)
    assert not line.speaking(10.0)
    line.frame(frame(40, "aa"), 10.0)  # of the old generation
    assert not line.speaking(10.0)
    line.frame(frame(100, "aa", gen=2, turn="n"), 10.0)
    assert [one.expression for one in line.due(10.0, 0)] == ["sad"]
    line.flush(0)  # an older one does not turn back
    line.frame(frame(200, "aa", gen=1), 10.0)
    assert not line.speaking(10.0)


def test_faces_are_due_when_their_segment_is_heard() -> None:
    line = Timeline()
    for segment in (0, 1, 2):
        line.direct(BodyDirect(conv="stage", turn_id="t", gen=1, segment=segment, expression=f"e{segment}"))
    line.frame(frame(0, *["aa"] * 5), 10.0)
    line.frame(frame(100, *["E"] * 5, segment=1), 10.0)
    assert [one.expression for one in line.due(10.0, 0)] == ["e0"]
    assert line.due(10.05, 0) == []
    assert [one.expression for one in line.due(10.05, 0.06)] == ["e1"]
    line.finished(PlayoutFinished(conv="stage", turn_id="t", gen=1, reason="played", heard=(), audio_ms=0))
    line.frame(frame(200, "aa", segment=2), 10.2)
    assert line.due(10.3, 0) == []


def test_nothing_grows_without_end() -> None:
    line = Timeline()
    for index in range(MAX_SHAPES + 500):
        line.frame(frame(index * 20, "aa", segment=index), 10.0)
        line.direct(BodyDirect(conv="stage", turn_id="t", gen=1, segment=index + 10**6, expression="smile"))
    assert len(line._shapes) == MAX_SHAPES
    assert len(line._begins) == len(line._directs) == MAX_SEGMENTS
    line.frame(frame(0, "aa", step_ms=0), 10.0)  # a frame of nothing


def test_the_mouth_moves_smoothly_and_closes() -> None:
    mouth = Mouth()
    opened = []
    for _ in range(20):
        mouth.step("aa", 1 / 60)
        opened.append(mouth.value("open"))
    assert all(a <= b for a, b in pairwise(opened))
    assert opened[0] < 0.6
    assert opened[-1] == 1.0
    assert (mouth.value("a"), mouth.value("o"), mouth.value("silence")) == (1.0, 0.0, 0.0)
    for _ in range(40):
        mouth.step("sil", 1 / 60)
    assert mouth.at_rest
    assert mouth.value("silence") == 1.0


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_within_its_limits(shape: VisemeName) -> None:
    assert all(0 <= value <= 1 for value in SHAPES[shape])
    assert (SHAPES[shape].open == 0) == (shape in ("sil", "PP"))  # lips meet
    mouth = Mouth()
    mouth.step(shape, 0.1)
    mouth.close()
    assert mouth.shape == REST


def test_the_head_swells_in_and_comes_to_rest() -> None:
    sway = Sway()
    assert sway.step(1.0, 0.1, speaking=False) == {}
    first = sway.step(1.1, 0.05, speaking=True)
    later = [sway.step(1.2 + index / 30, 1 / 30, speaking=True) for index in range(300)]
    assert max(abs(value) for value in first.values()) < 1.0
    assert 2 < max(abs(one["FaceAngleX"]) for one in later) < 8
    ends = [sway.step(12 + index / 30, 1 / 30, speaking=False) for index in range(20)]
    assert ends[-1] == {}
    assert sway.at_rest
    assert max(abs(value) for value in next(one for one in reversed(ends) if one).values()) < 0.8


def test_a_blink_closes_both_eyes_and_opens_them() -> None:
    blink = Blink(random.Random(7))
    seen = [blink.step(at / 100) for at in range(1, 700)]
    moved = [one for one in seen if one]
    assert 10 < len(moved) < 60
    assert min(one["EyeOpenLeft"] for one in moved) < 0.2
    assert all(one["EyeOpenLeft"] == one["EyeOpenRight"] for one in moved)
    assert moved[-1]["EyeOpenLeft"] == 1.0


# Words


def model(*files: str, keys: tuple[tuple[str, str, str], ...] = ()) -> Probed:
    hotkeys = tuple((f"id{index}", *key) for index, key in enumerate(keys))
    return Probed("M", "m1", tuple(f"{file}.exp3.json" for file in files), hotkeys)


def found(probed: Probed, *words: str, **models: dict[str, tuple[str, ...]]) -> dict[str, str]:
    names = VtsMap(words={"happy": ("happy", "joy"), "smile": ("smile", "happy")}, models=models)
    return {word: str(target) for word, target in resolve(words, names, probed).items()}


def test_names_in_their_order_whole_ones_before_parts() -> None:
    probed = model("joy", "HappyTears", "EyesSmile_2", "smile")
    assert found(probed, "happy", "smile", "angry") == {"happy": "expression HappyTears", "smile": "expression smile"}
    assert found(model("unhappy"), "happy") == {}


def test_hotkeys_by_name_only_when_they_move_the_body() -> None:
    kinds = ("ChangeVTSModel", "MoveModel", "TakeScreenshot", "RemoveAllExpressions", "Unset", "FutureThing")
    assert found(model(keys=tuple(("Happy", kind, "") for kind in kinds)), "happy") == {}
    assert found(model(keys=(("Happy", "TriggerAnimation", "h.motion3.json"),)), "happy") == {"happy": "hotkey Happy"}


def test_a_map_for_one_model_names_things_outright() -> None:
    probed = model("a", "b", keys=(("Screen", "TakeScreenshot", ""),))
    mine = {"happy": ("expression:B",), "smile": ("hotkey:screen",), "sad": ("expression:none", "a")}
    expected = {"happy": "expression b", "smile": "hotkey Screen", "sad": "expression a"}
    assert found(probed, "happy", "smile", "sad", M=mine) == expected


@pytest.mark.parametrize(
    "answer",
    [{}, {"expressions": None}, {"expressions": 5}, {"expressions": [None, 5, {}, {"file": 7}, {"file": None}]}],
)
def test_odd_answers_are_an_empty_model(answer: dict[str, object]) -> None:
    hotkeys = {"availableHotkeys": [{}, {"hotkeyID": 5}, None, {"hotkeyID": "x", "name": None, "type": 3}]}
    probed = read_model({"modelLoaded": True, "modelName": None, "modelID": 4}, answer, hotkeys)
    assert (probed.expressions, len(probed.hotkeys)) == ((), 1)
    assert read_model({"modelLoaded": "yes"}, {}, {}) == Probed()


def test_the_shipped_map_knows_every_word_of_the_character() -> None:
    character = load_character("kitsu", CHECKOUT / "configs" / "characters")
    names = load_map(Home(CHECKOUT / "nowhere", CHECKOUT / "logs", CHECKOUT / "configs"))
    assert set(names.words) == (character.expressions | character.actions) - {"neutral"}


@pytest.mark.parametrize(
    "text", ["", "words: 5\n...\n", "words: {smile: [a]}\nmore: 1\n...\n", "words: {smile: [a]}\n"]
)
def test_a_wrong_map_names_itself(tmp_path: Path, text: str) -> None:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "vts.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"vts\.yaml") as caught:
        load_map(Home(tmp_path, tmp_path, CHECKOUT / "configs"))
    assert caught.value.code == "bad_vts_map"


# The token


@pytest.mark.parametrize("data", [b"", b"\xff" * 10, b"x" * 200, b"two words", b"tab\there"])
def test_a_broken_token_file_is_no_token(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "vts_token"
    path.write_bytes(data)
    assert read_token(path) == ""


def test_a_token_is_kept_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "vts_token"
    write_token(path, "abc")
    write_token(path, "def")
    assert read_token(path) == "def"
    assert sys.platform == "win32" or path.stat().st_mode & 0o077 == 0
    forget_token(path)
    forget_token(path)
    assert read_token(path) == ""
    with pytest.raises(ConfigError):
        write_token(path, "ü")
    assert list(path.parent.iterdir()) == []
