"""Voice detectors: speech is speech, silence and noise are not."""

import numpy as np
import pytest

from kitsu.errors import EngineError
from kitsu_asr import vad as vads
from kitsu_asr.vad import FRAME, VADS, make_vad
from tests.fakes.speech import noise, silence, spoken

TEXT = "this is a test and then we go home"


def share(name: str, sound: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> float:
    detector = make_vad(name, 2)
    found = [detector.speech(sound[at : at + FRAME]) for at in range(0, len(sound) - FRAME + 1, FRAME)]
    return sum(found) / len(found)


@pytest.mark.parametrize("name", VADS)
def test_speech_loud_and_low(name: str) -> None:
    for gain in (1.0, 0.2):
        assert share(name, spoken(TEXT) * np.float32(gain)) > 0.5


@pytest.mark.parametrize("name", VADS)
def test_what_is_no_speech(name: str) -> None:
    assert share(name, silence(3)) == 0
    assert share(name, noise(3, -60)) == 0
    assert share(name, np.full(48_000, 1.0, np.float32)) < 0.1
    assert share(name, np.zeros(48_000, np.float32)) == 0


def test_silero_is_not_fooled_by_loud_noise() -> None:
    assert share("silero", noise(3, -20)) < 0.1


def test_one_that_is_not_installed_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(vads.VADS, "other", "kitsu_asr.engines.nowhere:Vad")
    with pytest.raises(EngineError, match="pip install"):
        make_vad("other", 2)
