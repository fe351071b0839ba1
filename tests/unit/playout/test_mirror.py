"""What she sounds like, once more for the ears: the same sound, dated by when it is heard."""

import numpy as np
import pytest

from kitsu.protocol import PlayoutFrame
from kitsu_playout.mirror import Mirror

FRAME = 960  # 20 ms


def tone(start: int, count: int = FRAME) -> "np.ndarray[tuple[int], np.dtype[np.int16]]":
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(start, start + count) / 48_000)).astype(np.int16)


def frame(position: int) -> PlayoutFrame:
    return PlayoutFrame(conv="stage", gen=3, sink="device", position=position, samples=FRAME)


def test_it_is_the_same_sound_at_a_third_of_the_rate() -> None:
    mirror = Mirror()
    got, position = [], 0
    for number in range(50):
        reference, pcm = mirror.take(frame(number * FRAME), tone(number * FRAME), 10.0 + number * 0.02)
        assert (reference.conv, reference.gen, reference.position) == ("stage", 3, position)
        position += len(pcm) // 2
        got.append(np.frombuffer(pcm, "<i2"))
    sound = np.concatenate(got).astype(float)
    assert len(sound) == pytest.approx(16_000, abs=400)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    assert np.argmax(spectrum) * 16_000 / len(sound) == pytest.approx(440, abs=2)
    assert np.abs(sound[1000:-1000]).max() == pytest.approx(8000, rel=0.05)


def test_sound_that_is_given_ahead_is_dated_later() -> None:
    mirror = Mirror()
    ahead = [mirror.take(frame(number * FRAME), tone(0), 10.0)[0].ahead_ms for number in range(4)]
    assert ahead == [0.0, 20.0, 40.0, 60.0]


def test_after_a_pause_a_new_run_begins_now() -> None:
    mirror = Mirror()
    mirror.take(frame(0), tone(0), 10.0)
    assert mirror.take(frame(FRAME), tone(0), 15.0)[0].ahead_ms == 0.0
    assert mirror.take(frame(10 * FRAME), tone(0), 15.0)[0].ahead_ms == 0.0
