"""Coqui's process: real child, real pipes, a library that hums in its place; with `--long` the real library."""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from pathlib import Path

import psutil
import pytest

from kitsu.errors import ConfigError, EngineError
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines.coqui import CoquiVoice
from kitsu_tts.installed import coqui_python, installed, voices
from kitsu_tts.rack import VoiceRack
from tests.fakes import coqui_library


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    coqui_library.make(tmp_path)
    return tmp_path


@pytest.fixture
async def voice(home: Path) -> AsyncIterator[CoquiVoice]:
    async with AsyncExitStack() as stack:
        made = CoquiVoice(TtsSettings())
        await made.load(stack)
        yield made


async def samples_of(voice: CoquiVoice, text: str, name: str = "") -> int:
    async with aclosing(voice.speak(text, name)) as chunks:
        return sum([len(chunk.pcm) // 2 async for chunk in chunks])


@pytest.mark.parametrize(
    ("text", "code", "again"),
    [
        ("die now", "voice_cut", True),
        ("no memory", "voice_out_of_memory", False),
        ("garbage", "", True),  # what coqui prints cannot reach the frames
    ],
)
async def test_trouble_is_a_typed_error_and_the_next_text_is_spoken(
    voice: CoquiVoice, text: str, code: str, again: bool
) -> None:
    if code:
        with pytest.raises(EngineError) as caught:
            await samples_of(voice, text)
        assert (caught.value.code, caught.value.retryable) == (code, again)
    else:
        assert await samples_of(voice, text)
    assert await samples_of(voice, "Fine again.")


async def test_a_killed_process_is_started_again(voice: CoquiVoice) -> None:
    assert voice._child is not None
    voice._child._process.kill()
    await voice._child._process.wait()
    assert await samples_of(voice, "Back.")


async def test_an_utterance_that_nobody_wants_any_more_does_not_mix_with_the_next(voice: CoquiVoice) -> None:
    wanted = await samples_of(voice, "One two three.")
    async with aclosing(voice.speak("A very long story. " * 20)) as chunks:
        await anext(chunks)
        began = time.perf_counter()
    assert time.perf_counter() - began < 0.02
    assert await samples_of(voice, "One two three.") == wanted


async def test_another_speaker_of_the_same_voice_costs_no_loading(home: Path) -> None:
    coqui_library.make(home, "pair", speakers=True)
    async with AsyncExitStack() as stack:
        voice = CoquiVoice(TtsSettings(voice="pair:bob"))
        await voice.load(stack)
        before = voice._child
        with pytest.raises(EngineError, match="no_such_voice"):
            await voice.choose("pair:eve")
        await voice.choose("pair:ann")
        assert voice._child is before
        await voice.choose("hum")
        assert await samples_of(voice, "Hello.")


@pytest.mark.parametrize("wrong", ["none", "", "../../etc", "broken"])
async def test_a_voice_that_is_not_there_or_broken_stops_the_load(home: Path, wrong: str) -> None:
    if wrong == "broken":
        coqui_library.make(home, "broken")
        (home / "engines" / "coqui" / "models" / "broken" / "model.pth").write_text("nonsense")
    if not wrong:
        shutil.rmtree(home / "engines" / "coqui" / "models" / "hum")
    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigError) as caught:
            await CoquiVoice(TtsSettings(voice=wrong)).load(stack)
    assert caught.value.code == ("bad_voice_file" if wrong == "broken" else "no_such_voice")


async def test_nothing_is_left_running(home: Path) -> None:
    async with AsyncExitStack() as stack:
        voice = CoquiVoice(TtsSettings())
        await voice.load(stack)
        assert voice._child is not None
        pid = voice._child._process.pid
        assert psutil.pid_exists(pid)
    assert not psutil.pid_exists(pid)


async def test_a_voice_that_dies_in_a_show_is_replaced_and_comes_back(home: Path) -> None:
    told: list[EngineError] = []
    async with AsyncExitStack() as stack:
        rack = VoiceRack(TtsSettings(cache_mb=0), told.append)
        await rack.load(stack)
        assert [place.name for place in rack.places][:1] == ["coqui"]
        espeak = rack.places[-1]
        assert espeak.loading is not None
        await espeak.loading
        async with aclosing(rack.speak("She will die now, but the show goes on.")) as chunks:
            engines = [chunk.engine async for chunk in chunks]
        assert engines[-1] == "espeak"
        assert [error.code for error in told] == ["voice_fallback"]


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    assert "kitsu install coqui" in installed("coqui")
    coqui_library.make(tmp_path)
    assert installed("coqui") == ""
    shutil.rmtree(tmp_path / "engines" / "coqui" / "models")
    assert "no voice yet" in installed("coqui")
    assert [name for name in voices() if name.startswith("coqui")] == []


def really_install(home: Path) -> None:
    """As a user does it, then a model made by coqui's own code."""
    made = subprocess.run(
        [sys.executable, "-m", "kitsu_cli", "install", "coqui", "--yes"],
        env={**os.environ, "KITSU_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    model = Path(coqui_library.__file__).with_name("coqui_model.py")
    subprocess.run([coqui_python(), model, home / "engines" / "coqui" / "models" / "tiny"], check=True)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_the_real_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Installed as `kitsu install coqui` does it; a tiny random VITS model, made and loaded by coqui's own code."""
    monkeypatch.setenv("KITSU_HOME", str(tmp_path))
    await asyncio.to_thread(really_install, tmp_path)
    async with AsyncExitStack() as stack:
        voice = CoquiVoice(TtsSettings())
        await voice.load(stack)
        assert 0.3 * 22_050 < await samples_of(voice, "Hello there, I am Kitsu.") < 20 * 22_050
        assert await samples_of(voice, "Grüße aus dem Wald.")
