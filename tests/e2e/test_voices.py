"""Voices of a whole show: chosen by itself, switched while it runs, replaced when one fails in the middle of a word."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.launched import LaunchedShow, launched
from tests.fakes import openai_speech, piper_model
from tests.fakes.openai_speech import FakeSpeech

LINE = "Once upon a time a small fox found a microphone in the snow and told everybody about it."


@pytest.fixture(scope="module")
def show(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedShow]:
    root = tmp_path_factory.mktemp("voices")
    piper_model.make(root / "models" / "piper")
    with launched(root) as running:
        yield running


def said(show: LaunchedShow, text: str = LINE) -> dict[str, Any]:
    turn: dict[str, Any] = show.call("POST", "/say", {"text": text, "wait": True})
    return turn


def test_the_most_natural_voice_that_is_installed_speaks(show: LaunchedShow) -> None:
    turn = said(show)
    assert (turn["outcome"], turn["engine"]["tts"]) == ("spoken", "piper")
    assert turn["heard"] == LINE
    assert 2 < len(show.wav(turn["turn_id"])) / 48_000 < 8


def test_another_voice_at_once_and_after_a_restart_too(show: LaunchedShow) -> None:
    listed = json.loads(show.kitsu("voice", "--json").stdout)
    assert listed == {"engine": "piper", "voices": ["piper/en_US-test-low", "espeak"]}
    assert show.kitsu("voice", "espeak/de+f3").returncode == 0
    assert said(show)["engine"]["tts"] == "espeak"
    assert show.kitsu("restart", "tts").returncode == 0
    assert said(show)["engine"]["tts"] == "espeak"
    for wrong in ("piper/none", "nobody", "espeak/nowhere"):
        answer = show.kitsu("voice", wrong)
        assert answer.returncode == 7, answer.stdout
        assert "no" in answer.stderr
    assert said(show)["engine"]["tts"] == "espeak"
    assert show.kitsu("voice", "piper").returncode == 0
    assert said(show)["engine"]["tts"] == "piper"


@pytest.mark.parametrize("trouble", ["cut", "slow", "noise"])
async def test_a_voice_that_fails_in_the_middle_is_replaced_there(tmp_path: Path, trouble: str) -> None:
    """Nothing of the line is lost, the listener waits less than a second, and the operator is told."""
    async with FakeSpeech() as fake:
        noise = bytes((37 * n * n + 11 * n) & 255 for n in range(96_000))
        fake.respond = {
            "cut": openai_speech.cut,
            "slow": openai_speech.slow,
            "noise": openai_speech.answer(openai_speech.sound("x" * 8) + noise),
        }[trouble]

        def run() -> tuple[dict[str, Any], str, str]:
            settings = {"KITSU__TTS__ENGINE": "openai", "KITSU__TTS__BASE_URL": fake.base_url}
            with launched(tmp_path, **settings) as show:
                turn = said(show)
                status = json.loads(show.kitsu("status", "--json").stdout)
                logs = show.kitsu("logs", "orchestrator").stdout
                return turn, json.dumps(status), logs

        turn, status, logs = await asyncio.to_thread(run)
    assert (turn["outcome"], turn["heard"]) == ("spoken", LINE)
    assert turn["engine"]["tts"] == "espeak"
    assert "espeak speaks instead" in status
    assert "voice_fallback" in logs
