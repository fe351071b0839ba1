"""Much sound in less time: nothing is invented, nothing grows."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from kitsu.protocol import EARS_RATE_HZ, AsrDropped, AsrFinal
from kitsu_asr.echo import Reference
from kitsu_asr.pcm import Samples, clean, dbfs
from kitsu_asr.sound_files import read
from kitsu_asr.vad import make_vad
from tests.fakes.speech import noise, silence, wav
from tests.unit.asr.ears import Stage


def quiet(stage: Stage) -> Stage:
    stage.listener._front._vad = make_vad("webrtc", 2)
    return stage


HOUR = [10, pytest.param(60, marks=pytest.mark.long)]


@pytest.mark.parametrize("minutes", HOUR)
def test_silence_and_hiss_are_nothing(minutes: int) -> None:
    stage = quiet(Stage())
    hiss = noise(1.0, -62.0)
    for second in range(60 * minutes):
        stage.hear(hiss if second % 2 else silence(1.0))
    assert not stage.all(AsrFinal)
    assert not stage.ears.sound


@pytest.mark.parametrize("minutes", HOUR)
def test_memory_is_flat_while_she_listens(minutes: int) -> None:
    """An utterance every four seconds, with her voice beside."""
    reference = Reference()
    stage = Stage(reference=reference)
    talk = np.concatenate((np.full(3 * EARS_RATE_HZ, 0.1, np.float32), silence(1.0)))
    hers = noise(0.02, -20.0)[:320]
    sizes = []
    tracemalloc.start()
    try:
        for minute in range(minutes):
            for _ in range(15):
                stage.hear(talk)
                reference.add(0, hers, stage.now_s)
            stage.messages.clear()
            stage.ears.sound.clear()
            if minute >= 4:  # by then every bounded buffer is full
                sizes.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert max(sizes) - min(sizes) < 100_000


def test_loud_noise_for_long_is_cut_and_ends() -> None:
    stage = Stage(max_utterance_s=10)
    stage.speak(65)
    stage.pause(2)
    ends = len(stage.all(AsrFinal)) + len(stage.all(AsrDropped))
    assert ends >= 6
    assert max((len(pcm) for pcm in stage.ears.sound.values()), default=0) < 12 * EARS_RATE_HZ * 2


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_what_is_no_number_becomes_sound_that_is(value: float) -> None:
    odd = silence(0.1)
    odd[::3] = value
    made: Samples = clean(odd)
    assert np.isfinite(made).all()
    assert np.abs(made).max() <= 1.0
    assert np.isfinite(dbfs(made))


def test_a_file_of_numbers_that_are_none(tmp_path: Path) -> None:
    import soundfile

    path = tmp_path / "odd.wav"
    odd = np.full(16_000, np.nan, np.float32)
    odd[::2] = np.inf
    soundfile.write(path, odd, 16_000, subtype="FLOAT")
    assert np.isfinite(read(path.read_bytes())).all()


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000, 96_000])
def test_every_usual_rate_keeps_its_length(rate_hz: int) -> None:
    sound = noise(1.0, -20)[: min(16_000, rate_hz)]
    made = read(wav(np.resize(sound, rate_hz), rate_hz))
    assert len(made) == pytest.approx(EARS_RATE_HZ, abs=EARS_RATE_HZ // 50)
