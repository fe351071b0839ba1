"""Flush, generations, mute, panic, a lost hub; heard equals what the WAV holds."""

import random

import numpy as np
import pytest

from kitsu.protocol import (
    ControlLevels,
    ControlPanic,
    ControlResume,
    PlayoutFlushed,
    PlayoutProgress,
    ShowLevels,
    SinkFlush,
)
from kitsu_playout.mixer import EDGE
from tests.unit.playout.stage import RATE_HZ, Stage

LINE = "one two three four five six seven eight nine ten"


def words_in(text: str, seconds: float, samples: int) -> float:
    """How many words of an evenly spoken `text` fit into its first `samples`."""
    reached = samples / RATE_HZ / seconds * len(text)
    return sum(min(1.0, max(0.0, (reached - text.index(w)) / (len(w) + 1))) for w in text.split())


@pytest.mark.parametrize("seed", range(40))
def test_heard_is_what_the_wav_holds(seed: int) -> None:
    rng = random.Random(seed)
    at = rng.uniform(0, 3.5)
    stage = Stage.on_air()
    stage.open()
    stage.say(0, LINE, 2.0)
    stage.say(1, LINE, 2.0)
    stage.run(at)
    stage.flush(1)
    (finished,) = stage.finished
    assert finished.reason == "flushed"
    wav = stage.wavs["t1"]
    assert len(wav) == sum(h.samples for h in finished.heard)
    assert len(wav) / RATE_HZ == pytest.approx(at, abs=0.001)
    assert finished.audio_ms == pytest.approx(len(wav) / 48, abs=0.1)
    heard = sum(len(LINE[: h.chars].split()) for h in finished.heard)
    really = sum(words_in(LINE, 2.0, h.samples) for h in finished.heard)
    assert abs(heard - really) <= 1
    stage.run(1)
    assert stage.frames[-1][0] <= 100 + at  # nothing after the flush
    assert len(stage.finished) == 1


@pytest.mark.parametrize("behind_ms", [0, 30, 120, 400])
def test_heard_follows_the_sink_that_plays(behind_ms: int) -> None:
    stage = Stage.on_air()
    stage.sink()
    stage.open()
    stage.say(0, LINE, 2.0)
    for step in range(1, 11):
        stage.run(0.1)
        stage.position(max(0, round((step * 100 - behind_ms) * 48)))
    stage.run(0.05)
    stage.flush(1)
    assert stage.finished[0].audio_ms == pytest.approx(1050 - behind_ms, abs=1)


def test_a_turn_ends_when_its_sink_has_played_it() -> None:
    stage = Stage.on_air()
    stage.sink()
    stage.open()
    stage.say(0, LINE, 0.5)
    stage.close(1)
    stage.run(0.2)
    stage.position(round(0.1 * RATE_HZ))
    stage.run(0.35)
    assert not stage.finished
    stage.run(0.06)
    assert stage.finished[0].reason == "played"
    assert stage.finished[0].heard[0].chars == len(LINE)


def test_flush_silences_sinks_first_and_answers() -> None:
    stage = Stage.on_air()
    stage.sink()
    stage.open()
    stage.say(0, LINE, 2.0)
    stage.run(0.5)
    stage.sent.clear()
    stage.flush(3)
    kinds = [type(message).__name__ for _, message in stage.sent]
    assert kinds == ["SinkFlush", "PlayoutFlushed"]
    assert stage.all(SinkFlush)[0].gen == 3
    assert stage.all(SinkFlush)[0].panic_id == ""
    assert stage.all(PlayoutFlushed)[0].gen == 3
    assert stage.silences == [(stage.time, "stage", 3)]


def test_nothing_stale_can_sound() -> None:
    stage = Stage.on_air()
    stage.open(gen=1)
    stage.say(0, LINE, 2.0, gen=1)
    stage.run(0.1)
    stage.flush(2)
    frames = len(stage.frames)
    stage.say(1, LINE, 2.0, gen=1)
    stage.open("t2", gen=1)
    stage.say(0, LINE, 2.0, "t2", gen=1)
    stage.run(1)
    assert len(stage.frames) == frames
    assert [(f.turn_id, f.reason) for f in stage.finished] == [("t1", "flushed"), ("t2", "flushed")]
    stage.open("t3", gen=2)
    stage.say(0, "new", 0.2, "t3", gen=1)  # wrong generation for this turn
    assert len(stage.frames) == frames
    stage.say(0, "new", 0.2, "t3", gen=2)
    stage.close(1, "t3", gen=2)
    stage.run(1)
    assert stage.finished[-1].reason == "played"
    assert (
        stage.frames[frames][1].position == stage.frames[frames - 1][1].position + stage.frames[frames - 1][1].samples
    )


def test_opening_a_newer_generation_ends_the_older() -> None:
    stage = Stage.on_air()
    stage.open("t1", gen=1)
    stage.say(0, LINE, 2.0, gen=1)
    stage.run(0.3)
    stage.open("t2", gen=2)
    stage.say(0, "new line", 0.3, "t2", gen=2)
    assert stage.frames[-1][0] == stage.time  # at once
    assert stage.finished[0].audio_ms == pytest.approx(300, abs=1)
    assert len(stage.all(SinkFlush)) == 1


def test_a_flush_without_a_turn_is_answered_too() -> None:
    stage = Stage.on_air()
    stage.flush(1, conv="page:9")
    assert stage.all(PlayoutFlushed)[0].conv == "page:9"
    assert not stage.finished


def test_muted_turns_run_on_in_silence() -> None:
    stage = Stage.on_air()
    stage.give(ControlLevels(levels=ShowLevels(mode="live", panic=None, muted=True)))
    stage.open()
    stage.say(0, LINE, 1.0)
    stage.close(1)
    stage.run(2)
    (finished,) = stage.finished
    assert finished.reason == "played"
    assert finished.muted
    assert finished.heard == ()
    assert finished.audio_ms == 1000
    assert not stage.wavs["t1"].any()
    assert not stage.heard_sound().any()


def test_muting_in_the_middle_ends_what_is_heard_there_without_a_click() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.say(0, LINE, 1.0)
    stage.say(1, LINE, 1.0)
    stage.close(2)
    stage.run(0.42)
    stage.give(ControlLevels(levels=ShowLevels(mode="live", panic=None, muted=True)))
    stage.run(0.5)
    stage.give(ControlLevels(levels=ShowLevels(mode="live", panic=None)))
    stage.run(2)
    (finished,) = stage.finished
    assert finished.muted
    assert [h.segment for h in finished.heard] == [0, 1]
    assert finished.heard[0].samples / RATE_HZ == pytest.approx(0.5, abs=0.021)
    assert finished.heard[1].samples == RATE_HZ
    sound = stage.heard_sound()
    assert not sound[round(0.55 * RATE_HZ) : round(0.9 * RATE_HZ)].any()
    assert np.abs(np.diff(sound.astype(int))).max() <= 2 * 8000 / EDGE + 1  # two fades may meet at a border


def panic_of(stage: Stage, pressed_at: int = 1000, gens: dict[str, int] | None = None) -> ControlPanic:
    return ControlPanic(panic=stage.panic(pressed_at), gens=gens or {"stage": 5})


def resume(resumed_at: int, gen: int = 6) -> ControlResume:
    return ControlResume(levels=ShowLevels(mode="live", panic=None, resumed_at=resumed_at), gens={"stage": gen})


def test_panic_silences_everything_and_confirms() -> None:
    stage = Stage.on_air()
    stage.sink()
    stage.open()
    stage.say(0, LINE, 2.0)
    stage.open("t2", conv="page:1")
    stage.say(0, LINE, 2.0, "t2", conv="page:1")
    stage.run(0.5)
    stage.give(panic_of(stage))
    assert {f.reason for f in stage.finished} == {"panic"}
    assert {f.turn_id for f in stage.finished} == {"t1", "t2"}
    assert {(m.conv, m.panic_id) for m in stage.all(SinkFlush)} == {("stage", "p1"), ("page:1", "p1")}
    assert stage.panics == [(stage.panic(), 0.0)]
    assert stage.player.panicked
    frames = len(stage.frames)
    stage.open("t3", gen=5)
    stage.say(0, LINE, 1.0, "t3", gen=5)
    stage.run(1)
    assert len(stage.frames) == frames
    assert stage.finished[-1].reason == "panic"
    stage.give(resume(2000))
    stage.open("t4", gen=6)
    stage.say(0, LINE, 1.0, "t4", gen=6)
    assert len(stage.frames) > frames


def test_only_a_later_resume_ends_a_panic() -> None:
    stage = Stage.on_air()
    stage.give(panic_of(stage, pressed_at=1000))
    stage.give(resume(999))
    assert stage.player.panicked
    stage.give(ControlLevels(levels=ShowLevels(mode="live", panic=None)))
    assert stage.player.panicked
    stage.join()
    assert stage.player.panicked
    stage.give(resume(1001))
    assert not stage.player.panicked


def test_a_stale_panic_is_ignored() -> None:
    stage = Stage.on_air()
    stage.give(resume(5000, gen=1))
    stage.open(gen=1)
    stage.say(0, LINE, 1.0, gen=1)
    stage.player.press(stage.panic(pressed_at=4999))
    assert not stage.player.panicked
    assert stage.errors == ["stale_panic"]
    assert not stage.panics
    stage.close(1, gen=1)
    stage.run(2)
    assert stage.finished[0].reason == "played"


def test_the_launchers_panic_needs_no_hub_and_holds_over_a_rejoin() -> None:
    stage = Stage.on_air()
    stage.open(gen=3)
    stage.say(0, LINE, 2.0, gen=3)
    stage.run(0.2)
    stage.player.press(stage.panic(pressed_at=7000))
    assert stage.finished[0].reason == "panic"
    assert stage.all(SinkFlush)[-1].gen == 4
    stage.say(1, LINE, 2.0, gen=3)
    stage.player.lose()
    stage.join(gens={"stage": 3})
    assert stage.player.panicked
    assert len(stage.panics) == 2  # confirmed again: the hub may not have heard the first time
    stage.give(resume(8000, gen=4))
    stage.open("t2", gen=4)
    stage.say(0, "back again", 0.2, "t2", gen=4)
    stage.close(1, "t2", gen=4)
    stage.run(1)
    assert stage.finished[-1].reason == "played"


def test_the_same_panic_over_both_paths_is_one() -> None:
    stage = Stage.on_air()
    stage.player.press(stage.panic())
    stage.give(panic_of(stage))
    assert [panic.panic_id for panic, _ in stage.panics] == ["p1", "p1"]
    stage.give(resume(1001))
    assert not stage.player.panicked


def test_boots_silent_until_it_is_told_otherwise() -> None:
    stage = Stage()
    assert stage.player.panicked
    stage.open()
    assert stage.finished[0].reason == "panic"
    stage.join(ShowLevels(mode="live", panic=stage.panic()))
    assert stage.player.panicked
    assert stage.panics[0][0] == stage.panic()
    stage.give(resume(2000, gen=0))
    assert not stage.player.panicked


def test_a_lost_hub_is_silence_and_the_next_one_starts_afresh() -> None:
    stage = Stage.on_air()
    stage.sink()
    stage.open(gen=7)
    stage.say(0, LINE, 2.0, gen=7)
    stage.run(0.5)
    stage.player.lose()
    (finished,) = stage.finished
    assert finished.reason == "lost"
    assert finished.audio_ms == pytest.approx(500, abs=1)
    frames = len(stage.frames)
    stage.run(1)
    assert len(stage.frames) == frames
    stage.join(gens={"stage": 1})
    stage.open("t2", gen=1)
    stage.say(0, LINE, 0.2, "t2", gen=1)
    stage.close(1, "t2", gen=1)
    stage.run(1)
    assert stage.finished[-1].reason == "played"


def test_progress_stops_with_the_sound() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.say(0, "short", 0.2)
    stage.run(2)
    assert 4 <= len(stage.all(PlayoutProgress)) <= 6


@pytest.mark.parametrize("seed", range(6))
def test_every_opened_turn_finishes_exactly_once(seed: int) -> None:
    rng = random.Random(seed)
    stage = Stage.on_air()
    gen, pressed, opened = 0, 0, []
    for number in range(60):
        action = rng.random()
        if action < 0.6:
            turn = f"t{number}"
            opened.append(turn)
            stage.open(turn, gen=gen)
            stage.say(0, LINE, rng.uniform(0.05, 0.5), turn, gen=gen)
            if rng.random() < 0.8:
                stage.close(1, turn, gen=gen)
        elif action < 0.8:
            gen += 1
            stage.flush(gen)
        elif action < 0.9:
            gen, pressed = gen + 1, pressed + 10
            stage.give(panic_of(stage, pressed, {"stage": gen}))
            stage.give(resume(pressed + 1, gen))
        stage.run(rng.uniform(0, 0.3))
    stage.flush(gen + 1)
    assert sorted(f.turn_id for f in stage.finished) == sorted(opened)
    for finished in stage.finished:
        assert sum(h.samples for h in finished.heard) == len(stage.wavs[finished.turn_id])
