"""The round trip's own sums: files, settings, stages."""

import argparse
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

import round_trip
from bench import trip as one_trip
from bench.barge_in import Ear
from bench.engine_sets import TINY
from bench.errors import BenchError
from bench.script import Report, table
from bench.sink import Heard
from tests import fakes


def wav(path: Path, rate: int = 8000, channels: int = 2, width: int = 2) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(np.full(rate * channels, 8192, "<i2").tobytes()[: rate * channels * width])
    return path


def test_a_file_becomes_a_microphone(tmp_path: Path) -> None:
    sound = round_trip.read_wav(wav(tmp_path / "said.wav"))
    assert len(sound) == 16_000
    assert float(np.median(sound)) == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("make", [lambda path: path, lambda path: path.write_bytes(b"RIFFgarbage") and path])
def test_what_is_no_file_is_refused(tmp_path: Path, make: object) -> None:
    path = tmp_path / "bad.wav"
    assert callable(make)
    make(path)
    with pytest.raises(BenchError):
        round_trip.read_wav(path)
    with pytest.raises(BenchError):
        round_trip.read_wav(wav(tmp_path / "byte.wav", width=1))


def test_settings() -> None:
    assert round_trip.setting("asr.engine=faster_whisper") == ("asr.engine", "faster_whisper")
    for text in ("asr.engine", "engine=x", ""):
        with pytest.raises(argparse.ArgumentTypeError):
            round_trip.setting(text)


def test_stages_of_a_guess_count_from_the_last_sample() -> None:
    listener = one_trip.Listener()
    listener.note(Heard("sound", 100.8, "t", 960, audible=False, mouth_s=0.01))
    listener.note(Heard("sound", 101.0, "t", 960, audible=True, mouth_s=0.02))
    turn = {
        "times": {"endpoint_ms": 700, "first_token_ms": -400, "first_segment_ms": -300, "first_chunk_ms": -250},
        "story": [{"event": "turn.guessed"}],
        "text": "hello",
    }
    trip = one_trip._trip(turn, 100.0, listener)
    assert (trip.final, trip.first_token, trip.first_chunk, trip.guessed) == (700, 300, 450, True)
    assert (trip.sound, trip.mouth) == (pytest.approx(1000), pytest.approx(810))
    report = round_trip.report([trip], 1, {"guesses_kept": 1})
    assert report.figures["speech_to_sound_ms_p50"] == 1000
    assert report.figures["guesses_kept"] == 1
    assert all(line.figure in report.figures for line in report.lines)


def test_engine_sets_stand_side_by_side() -> None:
    def one(sound_ms: float) -> Report:
        trip = one_trip.Trip(500, 400, 410, 420, sound_ms, sound_ms + 20, guessed=False, heard="hello")
        return round_trip.report([trip], 1, {})

    both = round_trip.side_by_side({"embedded": one(1300.0), "tiny": one(600.0)})
    assert (both.figures["speech_to_sound_ms_p50"], both.figures["tiny_speech_to_sound_ms_p50"]) == (1300, 600)
    row = next(line for line in table(both).splitlines() if line.startswith("last sample -> sound, ms p50"))
    assert row.split()[-5:] == ["1300", "<=", "1200", "missed", "600"]
    assert round_trip.side_by_side({"tiny": one(600.0)}).figures == one(600.0).figures


def test_the_tiny_models_say_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delattr(fakes, "whisper_model", raising=False)  # another test may have had it
    monkeypatch.setitem(sys.modules, "tests.fakes.whisper_model", None)
    with pytest.raises(BenchError) as caught:
        TINY.furnish(tmp_path)
    assert caught.value.code == "no_tiny_models"


def test_silence_is_where_a_stretch_of_sound_ends() -> None:
    ear = Ear()
    for number in range(50):
        ear.note(Heard("sound", 10 + number * 0.02, "t", 960, audible=True))
    ear.note(Heard("sound", 11.0, "t", 960, audible=False))
    ear.note(Heard("sound", 13.0, "t", 960, audible=True))
    assert ear.silent_at(10.5) == pytest.approx(11.0)
    with pytest.raises(BenchError):
        ear.silent_at(12.0)
