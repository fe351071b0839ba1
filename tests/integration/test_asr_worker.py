"""The ears' worker over a real websocket, with the recogniser that comes with it."""

from pathlib import Path

import numpy as np
import pytest

from kitsu.protocol import (
    AsrDropped,
    AsrFinal,
    AsrPartial,
    AsrSpeech,
    AsrState,
)
from kitsu_asr.worker import AsrWorker
from tests.fakes.hub import FakeHub, joined
from tests.fakes.speech import silence, speak, wav

ENABLED = ("asr.enabled", True)


async def test_a_file_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = await speak("hello this is a test of the microphone and then we go home")
    file = tmp_path / "said.wav"
    file.write_bytes(wav(np.concatenate((silence(0.5), said))))
    async with FakeHub() as hub:
        settings = [ENABLED, ("asr.file", str(file)), ("asr.name", "Robin")]
        async with joined(AsrWorker, hub, tmp_path, monkeypatch, settings):
            final = await hub.expect(AsrFinal, conv="stage")
    started = hub.all(AsrSpeech, state="started")[0]
    partials = hub.all(AsrPartial, utterance=final.utterance)
    assert started.utterance == final.utterance
    assert 400 < started.at_ms < 650
    assert started.ago_ms < 250
    assert {"this", "is", "go"} & set(final.text.split())
    assert (final.engine, final.language, final.speaker.name, final.speaker.role) == (
        "pocketsphinx",
        "en",
        "Robin",
        "host",
    )
    assert final.end_ms - final.start_ms == pytest.approx(len(said) / 16, abs=400)
    assert 300 < final.silence_ms < 1300
    assert final.silence_ms <= final.endpoint_ms + 25 < final.silence_ms + 5000, (
        "bench_ears measures it; here cores are shared"
    )
    assert partials, "partial results come while it is spoken"
    for partial in partials:
        assert final.text.startswith(partial.text[: partial.stable])
    assert not hub.all(AsrDropped)


async def test_not_configured_it_says_how(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with FakeHub() as hub, joined(AsrWorker, hub, tmp_path, monkeypatch, []):
        state = await hub.expect(AsrState)
        assert "KITSU__ASR__ENABLED" in state.ears.trouble
        assert not state.ears.configured
        assert hub.hellos[0].capabilities.features == ("not_configured",)
