"""Somebody speaks into it: the clock stands still, and goes on where it stopped."""

import random

import numpy as np
import pytest

from kitsu.protocol import (
    ControlLevels,
    ControlPanic,
    PlayoutPause,
    PlayoutPaused,
    PlayoutProgress,
    PlayoutResume,
    ShowLevels,
    Viseme,
)
from kitsu_playout.mixer import EDGE
from kitsu_playout.turn import MS
from tests.unit.playout.stage import RATE_HZ, Stage, tone

LINE = "one two three four five six seven eight nine ten"


def pause(stage: Stage, limit_s: float = 5.0, conv: str = "stage") -> None:
    stage.give(PlayoutPause(conv=conv, limit_ms=limit_s * 1000))


def resume(stage: Stage, conv: str = "stage") -> None:
    stage.give(PlayoutResume(conv=conv))


def speaking(seconds: float = 2.0, at: float = 0.5, segments: int = 1) -> Stage:
    stage = Stage.on_air()
    stage.open()
    for segment in range(segments):
        stage.say(segment, LINE, seconds)
    stage.close(segments)
    stage.run(at)
    return stage


def last_sounds_at(stage: Stage) -> float:
    """When the last sample that went out is heard."""
    started = stage.frames[0][0]
    return started + sum(len(samples) for _, _, samples in stage.frames) / RATE_HZ


def test_what_the_sinks_hold_is_all_that_sounds() -> None:
    stage = speaking(at=0.5)
    pause(stage)
    assert last_sounds_at(stage) <= stage.time + (80 + EDGE / MS) / 1000 + 1e-6
    before = len(stage.frames)
    stage.run(3)
    assert len(stage.frames) == before
    assert not stage.finished


def test_it_says_how_long_it_still_sounds() -> None:
    stage = speaking(at=0.5)
    pause(stage)
    (told,) = stage.all(PlayoutPaused)
    assert told.latency_ms == pytest.approx((last_sounds_at(stage) - stage.time) * 1000, abs=0.1)


@pytest.mark.parametrize("seed", range(25))
def test_nothing_is_lost_or_said_twice(seed: int) -> None:
    rng = random.Random(seed)
    stage = speaking(at=rng.uniform(0, 1.9), segments=2)
    for _ in range(rng.randint(1, 4)):
        pause(stage)
        stage.run(rng.uniform(0, 0.6))
        resume(stage)
        stage.run(rng.uniform(0, 0.6))
    stage.run(5)
    (finished,) = stage.finished
    assert finished.reason == "played"
    assert [heard.chars for heard in finished.heard] == [len(LINE)] * 2
    assert len(stage.wavs["t1"]) == 4 * RATE_HZ
    assert finished.stalls == 0


def test_the_sound_falls_and_rises_softly() -> None:
    stage = speaking(at=0.5)
    pause(stage)
    stage.run(1)
    resume(stage)
    stage.run(0.2)
    steps = np.abs(np.diff(stage.heard_sound().astype(int)))
    assert steps.max() <= 8_000 / EDGE + 1


def test_the_last_word_before_it_is_reported_once() -> None:
    stage = speaking(at=0.5)
    pause(stage)
    stage.sent.clear()
    stage.run(2)
    reports = stage.all(PlayoutProgress)
    assert reports[-1].position_ms == pytest.approx(500 + 80 + EDGE / MS, abs=2)
    assert reports[-1].heard.samples == round(reports[-1].position_ms * MS)
    assert len(reports) <= 3


def test_a_sink_that_lags_is_heard_to_the_end_of_what_it_has() -> None:
    stage = Stage.on_air()
    stage.sink()
    stage.open()
    stage.say(0, LINE, 2.0)
    for step in range(1, 6):
        stage.run(0.1)
        stage.position(max(0, round((step * 100 - 200) * 48)))
    pause(stage)
    stage.run(1)
    assert stage.all(PlayoutProgress)[-1].heard.samples == stage.all(PlayoutProgress)[-1].position_ms * MS


def test_the_mouth_closes_and_opens_again() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.caption(0, LINE)
    stage.audio(0, tone(2.0), visemes=(Viseme(at=0, viseme="aa"),))
    stage.run(0.5)
    pause(stage)
    assert stage.frames[-1][1].visemes[-1].viseme == "sil"
    stage.run(0.5)
    before = len(stage.frames)
    resume(stage)
    assert (stage.frames[before][1].visemes[0].at, stage.frames[before][1].visemes[0].viseme) == (0, "aa")


def test_after_its_limit_it_is_given_up() -> None:
    stage = speaking(at=0.5)
    pause(stage, 2.0)
    stage.run(1.99)
    assert not stage.finished
    stage.run(0.02)
    (finished,) = stage.finished
    assert finished.reason == "paused"
    assert finished.audio_ms == pytest.approx(500 + 80 + EDGE / MS, abs=2)
    assert len(stage.wavs["t1"]) == round(finished.audio_ms * MS)
    stage.open("t2")
    stage.say(0, LINE, 0.2, "t2")
    stage.run(0.1)
    assert stage.frames[-1][1].turn_id == "t2"


def test_asked_again_it_holds_longer() -> None:
    stage = speaking(at=0.5)
    pause(stage, 1.0)
    stage.run(0.9)
    pause(stage, 1.0)
    stage.run(0.9)
    assert not stage.finished
    assert len(stage.all(PlayoutPaused)) == 2
    resume(stage)
    stage.run(3)
    assert stage.finished[0].reason == "played"


def test_what_begins_meanwhile_waits() -> None:
    stage = Stage.on_air()
    pause(stage, 1.0)
    stage.open()
    stage.say(0, LINE, 1.0)
    stage.close(1)
    stage.run(0.5)
    assert not stage.frames
    resume(stage)
    stage.run(2)
    (finished,) = stage.finished
    assert finished.reason == "played"
    assert finished.stalls == 0


def test_what_waited_too_long_was_not_heard() -> None:
    stage = Stage.on_air()
    pause(stage, 1.0)
    stage.open()
    stage.say(0, LINE, 1.0)
    stage.run(1.5)
    assert (stage.finished[0].reason, stage.finished[0].heard) == ("paused", ())


def test_at_the_very_end_there_is_nothing_to_hold() -> None:
    stage = speaking(seconds=1.0, at=0.95)
    pause(stage)
    stage.run(1)
    assert stage.finished[0].reason == "played"


def test_a_flush_ends_it() -> None:
    stage = speaking(at=0.5)
    pause(stage)
    stage.run(0.5)
    stage.flush(1)
    assert stage.finished[0].reason == "flushed"
    assert stage.finished[0].audio_ms == pytest.approx(500 + 80 + EDGE / MS, abs=2)
    stage.open("t2", gen=1)
    stage.say(0, LINE, 0.2, "t2", gen=1)
    stage.run(0.1)
    assert stage.frames[-1][1].turn_id == "t2"


def test_panic_ends_it_in_silence() -> None:
    stage = speaking(at=0.5)
    pause(stage)
    stage.run(0.3)
    stage.give(ControlPanic(panic=stage.panic(), gens={"stage": 1}))
    resume(stage)
    before = len(stage.frames)
    stage.run(3)
    assert stage.finished[0].reason == "panic"
    assert len(stage.frames) == before


def test_a_lost_hub_ends_it() -> None:
    stage = speaking(at=0.5)
    pause(stage)
    stage.player.lose()
    assert stage.finished[0].reason == "lost"
    stage.join()
    stage.open("t2")
    stage.say(0, LINE, 0.2, "t2")
    stage.run(0.1)
    assert stage.frames[-1][1].turn_id == "t2"


def test_muted_meanwhile_she_goes_on_unheard() -> None:
    stage = speaking(at=0.5)
    pause(stage)
    stage.run(0.5)
    stage.give(ControlLevels(levels=ShowLevels(mode="live", panic=None, muted=True)))
    before = len(stage.frames)
    resume(stage)
    stage.run(3)
    assert not np.concatenate([samples for _, _, samples in stage.frames[before:]]).any()
    (finished,) = stage.finished
    assert finished.muted
    assert finished.heard[0].samples == round((500 + 80) * MS) + EDGE


def test_offline_nobody_speaks_into_it() -> None:
    stage = Stage.on_air()
    stage.open(clock="offline", conv="film:1")
    pause(stage, conv="film:1")
    stage.say(0, LINE, 2.0, conv="film:1")
    stage.close(1, conv="film:1")
    stage.run(0.1)
    assert stage.finished[0].reason == "played"


@pytest.mark.parametrize("limit_ms", [0.0, -5.0, float("nan")])
def test_a_pause_without_a_limit_is_refused(limit_ms: float) -> None:
    stage = speaking(at=0.5)
    stage.give(PlayoutPause(conv="stage", limit_ms=limit_ms))
    assert stage.errors == ["bad_pause"]
    stage.run(3)
    assert stage.finished[0].reason == "played"


def test_a_pause_for_ever_ends_too() -> None:
    stage = speaking(at=0.5)
    stage.give(PlayoutPause(conv="stage", limit_ms=float("inf")))
    stage.run(61)
    assert stage.finished[0].reason == "paused"


def test_going_on_without_a_pause_changes_nothing() -> None:
    stage = speaking(at=0.5)
    resume(stage)
    stage.run(3)
    assert stage.finished[0].stalls == 0


def test_the_last_words_of_a_segment_are_told_when_the_next_one_begins() -> None:
    stage = speaking(seconds=0.53, at=0.6, segments=2)
    ends = [message.heard for message in stage.all(PlayoutProgress) if message.heard.segment == 0]
    assert ends[-1].chars == len(LINE)
    assert stage.all(PlayoutProgress)[-1].heard.segment == 1
