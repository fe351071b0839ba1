"""Order, gaplessness, lead, progress, stalls, the offline clock."""

import random

import numpy as np
import pytest

from kitsu.protocol import (
    PlayoutCaption,
    PlayoutFinished,
    PlayoutProgress,
    PlayoutSinks,
    PlayoutStarted,
    TtsFinished,
    Viseme,
)
from kitsu_playout.config import PlayoutSettings
from kitsu_playout.mixer import EDGE
from tests.unit.playout.stage import RATE_HZ, Stage, sealed, tone


def test_the_first_chunk_sounds_at_once() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.caption(0, "Hello there")
    stage.audio(0, tone(0.06))
    assert len(stage.frames) == 1
    assert stage.frames[0][1].samples == 2880 - EDGE
    assert stage.all(PlayoutStarted)[0].latency_ms == 0


def test_segments_play_in_order_without_a_gap_whatever_order_they_come_in() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.say(1, "second", 0.3)
    stage.say(2, "third", 0.2)
    assert not stage.frames
    stage.say(0, "first", 0.25)
    stage.close(3)
    stage.run(2)
    (finished,) = stage.finished
    assert finished.reason == "played"
    assert finished.stalls == 0
    assert finished.audio_ms == 750
    assert [h.segment for h in finished.heard] == [0, 1, 2]
    assert [h.chars for h in finished.heard] == [5, 6, 5]
    sound = stage.heard_sound()
    assert len(sound) == 0.75 * RATE_HZ
    quiet = np.flatnonzero(np.abs(sound) < 7990)  # nothing but the fades at the borders
    borders = np.array([0, 0.25 * RATE_HZ, 0.55 * RATE_HZ, 0.75 * RATE_HZ])
    assert all(np.abs(borders - at).min() <= EDGE + 1 for at in quiet)
    assert np.abs(np.diff(sound.astype(int))).max() <= 8000 / EDGE + 1
    assert np.array_equal(stage.wavs["t1"], sound)


def test_positions_are_contiguous_and_the_lead_is_kept() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.say(0, "a long line of words that goes on", 1.0)
    stage.close(1)
    stage.run(2)
    expected = 0
    begin = stage.frames[0][0]
    for at, frame, samples in stage.frames:
        assert frame.position == expected
        assert frame.samples == len(samples)
        ahead_ms = (expected + len(samples)) / 48 - (at - begin) * 1000
        assert -0.1 <= ahead_ms <= 80.1
        expected += len(samples)
    assert stage.all(PlayoutFinished) == []  # the worker sends it, once the file is written


def test_a_voice_that_comes_in_small_pieces_is_gapless_too() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.caption(0, "words")
    rng = random.Random(5)
    position = 0
    while position < RATE_HZ:
        count = rng.randint(1, 5000)
        stage.audio(0, tone(count / RATE_HZ), position=position)
        position += count
        stage.run(count / RATE_HZ * 0.9)  # a little faster than real time
    stage.spoken(0, position)
    stage.close(1)
    stage.run(1)
    assert stage.finished[0].stalls == 0
    assert len(stage.wavs["t1"]) == position
    assert np.all(stage.wavs["t1"][EDGE:-EDGE] == 8000)


def test_a_late_segment_is_a_counted_stall() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.say(0, "first", 0.2)
    stage.run(0.5)
    stage.say(1, "second", 0.2)
    stage.close(2)
    stage.run(0.5)
    (finished,) = stage.finished
    assert finished.stalls == 1
    assert finished.stall_ms == pytest.approx(300, abs=1)
    assert finished.audio_ms == 400
    assert len(stage.wavs["t1"]) == 0.4 * RATE_HZ


@pytest.mark.parametrize("order", ["finished first", "audio first"])
def test_an_end_that_overtakes_its_sound_does_not_cut_it(order: str) -> None:
    stage = Stage.on_air()
    stage.open()
    stage.caption(0, "hello")
    stage.close(1)
    if order == "finished first":
        stage.spoken(0, 9600)
    stage.audio(0, tone(0.1))
    stage.run(0.01)
    stage.audio(0, tone(0.1), position=4800)
    if order == "audio first":
        stage.spoken(0, 9600)
    stage.run(1)
    assert stage.finished[0].audio_ms == 200


def test_empty_segments_and_turns() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.caption(0, "nothing came")
    stage.spoken(0, 0)
    stage.say(1, "but this", 0.1)
    stage.caption(2, "nor here")
    stage.give(TtsFinished(conv="stage", turn_id="t1", segment=2, reason="cancelled", samples=0, rate_hz=0, engine="x"))
    stage.close(3)
    stage.run(1)
    assert [h.segment for h in stage.finished[0].heard] == [1]
    stage.open("t2")
    stage.close(0, "t2")
    stage.run(0)
    assert stage.finished[1].reason == "played"
    assert stage.finished[1].heard == ()
    assert stage.finished[1].audio_ms == 0


def test_closing_with_fewer_segments_ends_there() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.say(0, "first", 0.1)
    stage.close(1)
    stage.say(1, "too many", 0.1)
    stage.run(1)
    assert stage.finished[0].audio_ms == 100


def test_a_segment_cut_short_by_its_voice_ends_with_what_came() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.caption(0, "cut short here")
    stage.audio(0, tone(0.1))
    stage.give(
        TtsFinished(conv="stage", turn_id="t1", segment=0, reason="cancelled", samples=4801, rate_hz=48000, engine="x")
    )
    stage.close(1)
    stage.run(1)
    assert stage.finished[0].reason == "played"


def test_the_next_turn_follows_without_a_gap() -> None:
    stage = Stage.on_air()
    stage.open("t1")
    stage.open("t2")
    stage.say(0, "second turn", 0.3, "t2")
    stage.close(1, "t2")
    stage.say(0, "first turn", 0.3, "t1")
    stage.close(1, "t1")
    stage.run(1)
    assert [f.turn_id for f in stage.finished] == ["t1", "t2"]
    assert stage.frames[-1][0] - stage.frames[0][0] < 0.6
    assert sum(f.stalls for f in stage.finished) == 0


def test_progress_every_50_ms_and_at_each_segments_start() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.say(0, "one two three four", 0.33)
    stage.say(1, "five", 0.3)
    stage.close(2)
    stage.run(1)
    reports = [(at - 100.0, m) for at, m in stage.sent if isinstance(m, PlayoutProgress)]
    assert reports[0][0] == 0
    gaps = np.diff([at for at, _ in reports])
    assert gaps.max() <= 0.0501
    assert next(at for at, m in reports if m.heard.segment == 1) == pytest.approx(0.33, abs=0.001)
    assert [m.position_ms for _, m in reports] == sorted(m.position_ms for _, m in reports)
    assert reports[1][1].buffered_ms == 580
    chars = [m.heard.chars for _, m in reports if m.heard.segment == 0]
    assert chars == sorted(chars)
    assert set(chars) >= {0, 3, 7, 13}


def test_frames_carry_words_and_shapes_where_they_sound() -> None:
    stage = Stage.on_air()
    stage.open()
    stage.caption(0, "x")
    stage.say(1, "hi there", 0.1)
    stage.close(2)
    stage.audio(0, tone(0.1), visemes=(Viseme(at=0, viseme="PP"), Viseme(at=4000, viseme="aa")))
    stage.spoken(0, 4800)
    stage.run(1)
    shapes = [(f.position + v.at, v.viseme) for _, f, _ in stage.frames for v in f.visemes]
    words = [(f.position + w.at, w.segment, w.start, w.end) for _, f, _ in stage.frames for w in f.words]
    assert shapes == [(0, "PP"), (4000, "aa")]
    assert words[-2:] == [(4800, 1, 0, 2), (4800 + 1800, 1, 3, 8)]
    assert stage.all(PlayoutProgress)[0].viseme == "PP"


def test_other_rates_keep_their_length_and_level() -> None:
    for rate_hz in (16_000, 22_050, 24_000, 44_100):
        stage = Stage.on_air()
        stage.open(clock="offline")
        stage.caption(0, "hello")
        for at in range(0, rate_hz, 1324):
            count = min(1324, rate_hz - at)
            stage.audio(0, tone(count / RATE_HZ), position=at, rate_hz=rate_hz, gain_db=-6.0206)
        stage.give(
            TtsFinished(
                conv="stage", turn_id="t1", segment=0, reason="done", samples=rate_hz, rate_hz=rate_hz, engine="x"
            )
        )
        stage.close(1)
        stage.run(0)
        assert len(stage.wavs["t1"]) == pytest.approx(48_000, abs=1)
        assert np.all(np.abs(stage.wavs["t1"][200:-200] - 4000) < 10)


def test_offline_turns_are_done_at_once() -> None:
    stage = Stage.on_air()
    stage.open(clock="offline", conv="telegram:7")
    stage.say(0, "a long voice note", 30, conv="telegram:7")
    stage.say(1, "and its end", 30, conv="telegram:7")
    stage.close(2, conv="telegram:7")
    stage.run(0)
    (finished,) = stage.finished
    assert finished.reason == "played"
    assert finished.audio_ms == 60_000
    assert finished.stalls == 0
    assert finished.heard[1].chars == 11
    assert len(stage.wavs["t1"]) == 60 * RATE_HZ
    assert not stage.frames  # nobody listens in real time


def test_conversations_do_not_wait_for_each_other() -> None:
    stage = Stage.on_air()
    stage.open("t1")
    stage.say(0, "stage", 0.5)
    stage.open("t2", conv="page:1")
    stage.say(0, "private", 0.1, "t2", conv="page:1")
    stage.close(1, "t2", conv="page:1")
    stage.run(0.2)
    assert [f.turn_id for f in stage.finished] == ["t2"]
    stage.flush(1, conv="page:1")
    stage.close(1)
    stage.run(0.5)
    assert stage.finished[1].reason == "played"


@pytest.mark.parametrize("conv", ["stage", "page:1"])
def test_hostile_chunks_are_refused_and_the_turn_goes_on(conv: str) -> None:
    stage = Stage.on_air()
    stage.open(conv=conv)
    stage.audio(0, tone(0.1), conv=conv)
    assert stage.errors == ["no_caption"]
    stage.caption(0, "hello", conv=conv)
    stage.audio(0, tone(0.1), conv=conv)
    stage.audio(0, tone(0.1), conv=conv)  # again
    stage.audio(0, tone(0.1) + b"x", position=4800, conv=conv)
    stage.audio(0, tone(0.1), position=4800, rate_hz=24_000, conv=conv)
    stage.audio(0, tone(0.1), position=4800, rate_hz=0, conv=conv)
    stage.audio(0, tone(0.1), position=-1, conv=conv)
    assert stage.errors == ["no_caption"] + ["bad_audio"] * 5
    stage.audio(0, b"", position=4800, conv=conv)
    stage.audio(0, tone(0.1), position=9600, conv=conv)  # one was lost: what came is played
    stage.spoken(0, 14_400, conv=conv)
    stage.audio(0, tone(0.1), position=14_400, conv=conv)  # after the end
    stage.close(1, conv=conv)
    stage.run(1)
    assert stage.finished[0].audio_ms == 200


def test_captions_need_the_gates_seal() -> None:
    stage = Stage.on_air()
    stage.open()
    forged = sealed("free text", key=bytes(32))
    stage.give(PlayoutCaption(conv="stage", turn_id="t1", segment=0, caption=forged))
    stage.audio(0, tone(0.1))
    assert stage.errors == ["bad_seal", "no_caption"]
    assert not stage.frames


def test_too_much_sound_is_refused() -> None:
    stage = Stage.on_air(PlayoutSettings(max_buffer_s=5))
    stage.open()
    stage.caption(0, "hello")
    for index in range(10):
        stage.audio(0, tone(1), position=index * RATE_HZ)
    assert stage.errors.count("buffer_full") == 4


def test_sinks_are_told_every_5_s() -> None:
    stage = Stage.on_air()
    stage.run(12)
    assert len(stage.all(PlayoutSinks)) == 3
