"""A speech server that misbehaves: each time one typed error, and the next request works."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing

import pytest

from kitsu.errors import ConfigError, EngineError
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines.openai import OpenAiVoice
from tests.fakes import openai_speech as fakes
from tests.fakes.openai_speech import FakeSpeech, answer, sound, wav

PCM = sound("hello")


@pytest.fixture
async def fake() -> AsyncIterator[FakeSpeech]:
    async with FakeSpeech() as running:
        yield running


@pytest.fixture
async def voice(fake: FakeSpeech) -> AsyncIterator[OpenAiVoice]:
    async with AsyncExitStack() as stack:
        made = OpenAiVoice(
            TtsSettings(engine="openai", base_url=fake.base_url, read_timeout_s=0.2, api_key="sk-secret")
        )
        await made.load(stack)
        yield made


async def pcm_of(voice: OpenAiVoice, text: str = "hello") -> bytes:
    async with aclosing(voice.speak(text)) as chunks:
        return b"".join([chunk.pcm async for chunk in chunks])


@pytest.mark.parametrize(
    ("respond", "code", "retryable"),
    [
        (
            answer(b'{"error":{"message":"no such model"}}', "application/json", status="404 Not Found"),
            "voice_http_error",
            False,
        ),
        (answer(b"<html>" + b"x" * 90_000, "text/html", status="500 Oops"), "voice_http_error", True),
        (answer(b"{}", "application/json", status="429 Slow Down"), "voice_http_error", True),
        (answer(b'{"error":"busy"}', "application/json"), "voice_http_error", False),
        (answer(b"ID3\4" + bytes(900)), "voice_bad_audio", False),
        (answer(b"\xff\xfb\x90" + bytes(900), "audio/mpeg"), "voice_bad_audio", False),
        (answer(wav(PCM, channels=2), "audio/wav"), "voice_bad_audio", False),
        (answer(wav(PCM, bits=8), "audio/wav"), "voice_bad_audio", False),
        (answer(b"RIFF\0\0\0\0AVI " + bytes(99)), "voice_bad_audio", False),
        (answer(b"RIFF\0\0\0\0WAVEdata" + bytes(99)), "voice_bad_audio", False),
        (answer(b"RIFF\0\0\0\0WAVEjunk\xff\xff\xff\x7f" + bytes(9999)), "voice_bad_audio", False),
        (answer(b""), "voice_empty", True),
        (answer(b"RIFF"), "voice_empty", True),
        (answer(wav(PCM)[:30]), "voice_empty", True),
        (answer(b"\1"), "voice_empty", True),
        (fakes.cut, "voice_cut", True),
        (fakes.no_http, "voice_cut", True),
        (fakes.mute, "voice_timeout", True),
        (fakes.slow, "voice_timeout", True),
    ],
)
async def test_one_typed_error(
    fake: FakeSpeech, voice: OpenAiVoice, respond: fakes.Respond, code: str, retryable: bool
) -> None:
    fake.respond = respond
    with pytest.raises(EngineError) as caught:
        await pcm_of(voice)
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert voice.trouble
    assert "sk-secret" not in caught.value.message
    assert len(caught.value.message) < 300
    fake.respond = fakes.stream_asked
    assert await pcm_of(voice) == PCM
    assert voice.trouble == ""


@pytest.mark.parametrize("step", [1, 3, 100_000])
@pytest.mark.parametrize(
    "data", [PCM, wav(PCM), wav(PCM, size=0), wav(PCM, size=0xFFFFFFFF), wav(PCM) + b"LIST\4\0\0\0abcd"]
)
async def test_any_cut_and_any_honest_wav(fake: FakeSpeech, voice: OpenAiVoice, data: bytes, step: int) -> None:
    fake.respond = answer(data[: 44 + 4800] if step == 1 and data[:4] != b"RIFF" else data, step=step)
    pcm = await pcm_of(voice)
    assert pcm
    assert PCM.startswith(pcm)


async def test_an_odd_byte_at_the_end_is_dropped(fake: FakeSpeech, voice: OpenAiVoice) -> None:
    fake.respond = answer(PCM + b"\x7f")
    assert await pcm_of(voice) == PCM


async def test_endless_sound_is_stopped(fake: FakeSpeech, voice: OpenAiVoice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_tts.engines.openai.MAX_SOUND_S", 1.0)
    fake.respond = answer(PCM * 50)
    with pytest.raises(EngineError, match="more than"):
        await pcm_of(voice)


async def test_a_cancelled_answer_is_really_aborted(fake: FakeSpeech, voice: OpenAiVoice) -> None:
    fake.respond = fakes.slow
    async with aclosing(voice.speak("hello")) as chunks:
        await anext(chunks)
    async with asyncio.timeout(1):
        await fake.left.wait()


async def test_one_warm_connection_and_the_asked_form(fake: FakeSpeech, voice: OpenAiVoice) -> None:
    for _ in range(3):
        await pcm_of(voice)
    assert fake.connections == 1
    assert fake.requests[-1] == {"model": "tts-1", "input": "hello", "voice": "alloy", "response_format": "pcm"}
    assert fake.headers[-1]["authorization"] == "Bearer sk-secret"


async def test_nobody_there_is_a_trouble_and_no_crash() -> None:
    async with AsyncExitStack() as stack:
        voice = OpenAiVoice(TtsSettings(engine="openai", base_url="http://127.0.0.1:9/v1"))
        await voice.load(stack)
        assert "nothing answers" in voice.trouble
        with pytest.raises(EngineError) as caught:
            await pcm_of(voice)
        assert (caught.value.code, caught.value.retryable) == ("voice_unreachable", True)


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "ftp://x/v1", "http://"])
def test_a_bad_address_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        OpenAiVoice(TtsSettings(engine="openai", base_url=url))
