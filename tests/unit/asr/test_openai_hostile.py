"""A transcription server that is wrong in every way: an error with a code, never a crash or a made-up word."""

import json

import pytest

from kitsu.errors import EngineError
from kitsu_asr.engine import Choice, Heard
from kitsu_asr.engines.openai import MAX_ANSWER_BYTES, OpenAiEngine
from tests.fakes.scripted_http import ScriptedHttp, black_hole, scripted_http

TRANSCRIPTIONS = "POST /v1/audio/transcriptions"
SECOND = bytes(32_000)


def hear(url: str, language: str = "en", hints: tuple[str, ...] = (), **choice: object) -> Heard:
    engine = OpenAiEngine(Choice(base_url=f"{url}/v1", **choice))  # type: ignore[arg-type]
    engine.load()
    session = engine.open(language, hints)
    session.feed(SECOND)
    return session.finish()


def answering(fake: ScriptedHttp, status: int, body: bytes) -> None:
    fake.answers[TRANSCRIPTIONS] = (status, body)


@pytest.mark.parametrize(
    ("status", "body", "code", "retryable"),
    [
        (200, b"", "ears_bad_answer", False),
        (200, b"hello there", "ears_bad_answer", False),
        (200, b"[" * 100_000, "ears_bad_answer", False),
        (200, b'{"text": 5}', "ears_bad_answer", False),
        (200, b'{"text": "a", "words": "b"}', "ears_bad_answer", False),
        (200, b'{"no": "text"}', "ears_bad_answer", False),
        (200, b'{"text": "\xff\xfe"}', "ears_bad_answer", False),
        (200, b'{"text": "' + b"a" * MAX_ANSWER_BYTES + b'"}', "ears_bad_answer", False),
        (401, b"{}", "ears_http_error", False),
        (404, b"{}", "ears_http_error", False),
        (429, b"{}", "ears_http_error", True),
        (500, b"{}", "ears_http_error", True),
        (302, b"{}", "ears_http_error", False),
    ],
)
def test_bad_answers(status: int, body: bytes, code: str, retryable: bool) -> None:
    with scripted_http() as fake:
        answering(fake, status, body)
        with pytest.raises(EngineError) as caught:
            hear(fake.url)
    assert (caught.value.code, caught.value.retryable) == (code, retryable)


def test_nobody_there() -> None:
    with pytest.raises(EngineError) as caught:
        hear("http://127.0.0.1:9")
    assert (caught.value.code, caught.value.retryable) == ("ears_unreachable", True)


def test_one_that_never_answers() -> None:
    with black_hole() as port, pytest.raises(EngineError) as caught:
        hear(f"http://127.0.0.1:{port}", read_timeout_s=0.2)
    assert (caught.value.code, caught.value.retryable) == ("ears_timeout", True)


def test_numbers_out_of_range_are_brought_back() -> None:
    with scripted_http() as fake:
        wild = {
            "text": "  hi \n there ",
            "language": "klingon",
            "segments": [{"avg_logprob": 1e300, "no_speech_prob": -7}, {"avg_logprob": 5, "no_speech_prob": 99}],
            "words": [{"word": "hi", "start": -1, "end": 5}, {"word": "there", "start": 2, "end": 1}],
        }
        answering(fake, 200, json.dumps(wild).encode())
        heard = hear(fake.url)
    assert heard == Heard("hi there", (), "", 1.0, 1.0)


def test_the_key_language_and_hints_are_sent_and_the_key_is_in_no_error() -> None:
    with scripted_http() as fake:
        answering(fake, 200, b'{"text": "hallo"}')
        assert hear(fake.url, "de", ("Kitsu",), api_key="s3cret").text == "hallo"
        ((_, body),) = fake.asked
        assert b'name="language"\r\n\r\nde' in body
        assert b'name="prompt"\r\n\r\nKitsu' in body
        assert b"RIFF" in body
        answering(fake, 403, b"s3cret")
        with pytest.raises(EngineError) as caught:
            hear(fake.url, api_key="s3cret")
    assert "s3cret" not in str(caught.value)


def test_too_little_sound_is_not_sent() -> None:
    with scripted_http() as fake:
        engine = OpenAiEngine(Choice(base_url=f"{fake.url}/v1"))
        engine.load()
        session = engine.open("en", ())
        session.feed(bytes(100))
        assert session.finish() == Heard()
        assert not fake.asked
