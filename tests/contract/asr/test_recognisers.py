"""What every recogniser must do. One suite, all engines."""

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from kitsu_asr.engine import Choice, Engine, Heard
from kitsu_asr.engines import ENGINES, make
from kitsu_asr.pcm import Samples, to_s16
from tests.fakes import whisper_model
from tests.fakes.scripted_http import scripted_http
from tests.fakes.speech import noise, silence, spoken

TRANSCRIPTIONS = "POST /v1/audio/transcriptions"
SAID = "this is a test and then we go home"
SOUND = np.concatenate((silence(0.3), spoken(SAID), silence(0.2)))
KNOWN = {  # what each is sure to find in it: the model in the test always hears the same, the server is told
    "pocketsphinx": {"this", "is", "test", "then"},
    "faster_whisper": {"hello", "stream"},
    "openai": {"this", "home"},
}
ANSWER = {
    "text": SAID,
    "language": "english",
    "words": [{"word": word, "start": n / 5, "end": n / 5 + 0.1} for n, word in enumerate(SAID.split())],
    "segments": [{"avg_logprob": -0.1, "no_speech_prob": 0.02}],
}


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    whisper_model.make(folder)
    return folder


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, whisper: Path) -> Iterator[Engine]:
    with scripted_http() as server:
        server.answers[TRANSCRIPTIONS] = (200, json.dumps(ANSWER).encode())
        model = "canned" if request.param == "faster_whisper" else ""
        choice = Choice(model=model, folder=str(whisper), base_url=f"{server.url}/v1", api_key="secret")
        made = make(request.param, choice)
        assert made.load()
        yield made


def hear(engine: Engine, sound: Samples, *hints: str) -> Heard:
    session = engine.open("en", hints)
    pcm = to_s16(sound)
    for at in range(0, len(pcm), 6400):
        session.feed(pcm[at : at + 6400])
    try:
        return session.finish()
    finally:
        session.close()


def test_speech_becomes_words(engine: Engine) -> None:
    sound = SOUND
    heard = hear(engine, sound)
    assert KNOWN[engine.name] & set(heard.text.split())
    assert heard.language == "en"
    assert 0 <= heard.confidence <= 1
    assert 0 <= heard.no_speech <= 1
    seconds = len(sound) / 16_000
    starts = [word.start_s for word in heard.words]
    assert starts == sorted(starts)
    assert all(0 <= word.start_s <= word.end_s <= seconds + 0.5 for word in heard.words)
    assert " ".join(word.word for word in heard.words) == heard.text
    assert msgspec.json.decode(msgspec.json.encode(heard), type=Heard) == heard


def test_a_partial_result_comes_before_the_end_and_the_end_agrees(engine: Engine) -> None:
    session = engine.open("en", ())
    session.feed(to_s16(SOUND))
    partial = session.partial()
    assert KNOWN[engine.name] & set(partial.text.split())
    assert session.partial() == partial, "nothing came in between"
    assert KNOWN[engine.name] & set(session.finish().text.split())
    session.close()


@pytest.mark.parametrize("hints", [("Kitsu",), ("Kitsu", "Just Chatting", "Grüße, ¡hola!", "狐 🦊"), ("word " * 300,)])
def test_hints_take_nothing_away(engine: Engine, hints: tuple[str, ...]) -> None:
    heard = hear(engine, SOUND, *hints)
    assert KNOWN[engine.name] & set(heard.text.split())
    assert heard.confidence == hear(engine, SOUND).confidence


def test_two_utterances_at_once_do_not_mix(engine: Engine) -> None:
    one, two = engine.open("en", ()), engine.open("en", ())
    for chunk in np.array_split(SOUND, 10):
        one.feed(to_s16(chunk))
        two.feed(to_s16(silence(0.1)))
    first, second = one.finish(), two.finish()
    one.close()
    two.close()
    assert first.text
    if engine.name == "pocketsphinx":  # the others' words do not depend on the sound here
        assert not set(second.text.split()) & KNOWN[engine.name]


def test_nothing_is_no_words(engine: Engine) -> None:
    session = engine.open("en", ())
    assert session.partial().text == ""
    assert session.finish().text == ""
    session.close()


def test_an_utterance_may_be_left_at_any_time(engine: Engine) -> None:
    engine.open("en", ()).close()
    left = engine.open("en", ("Kitsu",))
    left.feed(to_s16(SOUND[:8000]))
    left.close()
    assert KNOWN[engine.name] & set(hear(engine, SOUND).text.split())


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(silence(3), id="silence"),
        pytest.param(noise(3, -6), id="loud noise"),
        pytest.param(np.sign(noise(2, 0)).astype(np.float32), id="all clipped"),
        pytest.param(np.full(32_000, 1.0, np.float32), id="direct current"),
        pytest.param(silence(0.001), id="16 samples"),
    ],
)
def test_hostile_sound_breaks_nothing(engine: Engine, sound: Samples) -> None:
    hear(engine, sound)
    assert hear(engine, SOUND).text


def test_half_a_sample_breaks_nothing(engine: Engine) -> None:
    session = engine.open("en", ())
    session.feed(to_s16(silence(0.5)) + b"\x01")
    session.finish()
    session.close()


def test_the_model_that_is_there_is_taken_when_none_was_chosen(whisper: Path) -> None:
    engine = make("faster_whisper", Choice(folder=str(whisper)))
    assert "canned" in engine.load()
