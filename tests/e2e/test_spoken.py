"""The main job, on a show started as a user starts it: a chat line in, a moderated spoken reply out."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from kitsu_tts.config import TtsSettings
from kitsu_tts.engines.espeak import EspeakVoice
from tests.e2e.launched import LaunchedShow, launched, samples, until

LINE = (
    "Once upon a time, a small orange fox found a microphone in the snow, and she told everybody about it. "
    "Nobody believed her at first, but then the whole forest came to listen to her songs."
)
RATE = 48_000


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedShow]:
    with launched(tmp_path_factory.mktemp("spoken")) as running:
        yield running


def test_a_chat_line_is_answered_aloud(show: LaunchedShow, tmp_path: Path) -> None:
    wav = tmp_path / "out.wav"
    done = show.kitsu("chat", "hello, who are you?", "--wav", str(wav), "--json")
    assert done.returncode == 0, done.stderr
    turn = json.loads(done.stdout)
    assert (turn["outcome"], turn["engine"]) == ("spoken", {"policy": "scripted", "tts": "espeak"})
    assert turn["segments"]
    assert turn["heard"] == " ".join(segment["text"] for segment in turn["segments"])
    assert 0 < turn["first_audio_ms"] < 1000
    assert_is_speech(samples(wav.read_bytes()), turn["heard"], turn["audio_ms"])


def assert_is_speech(sound: np.ndarray, text: str, audio_ms: float) -> None:
    """Level, length, clipping and holes, as a listener would judge them."""
    seconds = len(sound) / RATE
    assert seconds == pytest.approx(audio_ms / 1000, abs=0.05)
    assert 0.035 < seconds / len(text) < 0.13, "speech takes 35 to 130 ms a character"
    frames = sound[: len(sound) // 480 * 480].reshape(-1, 480)
    level_db = 20 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1e-9)
    voiced = level_db[level_db > -45]
    assert -28 < 10 * np.log10((10 ** (voiced / 10)).mean()) < -12, "about as loud as other programs"
    assert np.abs(sound).max() < 0.98, "no clipping"
    assert longest_run(level_db < -60) * 10 < 700, "no hole longer than a breath"
    spectrum = np.abs(np.fft.rfft(sound)) ** 2
    hz = np.fft.rfftfreq(len(sound), 1 / RATE)
    assert spectrum[(hz > 80) & (hz < 5000)].sum() > 0.9 * spectrum.sum(), "energy where voices have it"


def longest_run(mask: np.ndarray) -> int:
    """Length of the longest run of True."""
    best = run = 0
    for value in mask:
        run = run + 1 if value else 0
        best = max(best, run)
    return best


def test_heard_is_what_the_recording_holds(show: LaunchedShow) -> None:
    """Cut her off mid-word at several places: `heard` equals the WAV to a word."""
    whole_id = show.say(LINE)
    whole = show.ended(whole_id)
    assert whole["heard"] == LINE
    begins = asyncio.run(word_begins([segment["text"] for segment in whole["segments"]]))
    assert begins[-1] == pytest.approx(len(show.wav(whole_id)), abs=RATE * 0.1)
    for after_ms in (400, 1700, 3100, 4650):
        turn_id = show.say(LINE)
        show.sounding(turn_id, after_ms)
        assert show.call("POST", "/control/skip", {})["skipped"]
        cut = show.ended(turn_id)
        assert (cut["outcome"], cut["reason"]) == ("interrupted", "skip")
        assert LINE.startswith(cut["heard"])
        held = len(show.wav(turn_id))
        assert held / RATE * 1000 == pytest.approx(cut["audio_ms"], abs=30)
        expected = sum(begin < held for begin in begins[:-1])
        assert abs(len(cut["heard"].split()) - expected) <= 1, (cut["heard"], expected)


async def word_begins(texts: list[str]) -> list[float]:
    """Where each word of the segments begins, and the end; 48 kHz samples. From the voice alone, without the path."""
    begins: list[float] = []
    offset = 0.0
    async with AsyncExitStack() as stack:
        voice = EspeakVoice(TtsSettings())
        await voice.load(stack)
        for text in texts:
            samples_made, rate_hz = 0, 1
            async for chunk in voice.speak(text):
                rate_hz = chunk.rate_hz
                begins += [offset + word.at * RATE / rate_hz for word in chunk.words]
                samples_made += len(chunk.pcm) // 2
            offset += samples_made * RATE / rate_hz
    return [*begins, offset]


def test_stopping_ends_what_sounds_and_what_waits(tmp_path: Path) -> None:
    """Whoever waits for an answer is told; what was heard by then is kept."""
    with launched(tmp_path) as show:
        sounding = show.in_background("say", LINE, "--json")
        turn_id = until(lambda: (show.call("GET", "/status")["current"] or [{}])[0].get("turn_id"))
        show.sounding(turn_id, 600)
        waiting = [show.in_background("chat", text, "--json") for text in ("and you?", "and me?")]
        until(lambda: show.call("GET", "/status")["waiting"])
        assert show.kitsu("stop").returncode == 0
        ends = [json.loads(command.result().stdout) for command in (sounding, *waiting)]
        assert [(end["outcome"], end["reason"]) for end in ends] == [("dropped", "stopped")] * 3
        assert ends[0]["heard"]
        assert LINE.startswith(ends[0]["heard"])
        assert show.kitsu("start").returncode == 0
        assert show.turn(turn_id)["heard"] == ends[0]["heard"]
