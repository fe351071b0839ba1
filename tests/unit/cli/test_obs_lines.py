"""OBS and the ears, as people read of them."""

import pytest

from kitsu.soundcard import TroubleError
from kitsu_cli.doctor import ears
from kitsu_cli.verbs.obs import lines


def text(state: dict[str, object]) -> str:
    return "\n".join("".join(piece for piece, _ in line) for line in lines(state))


def test_an_obs_that_is_there() -> None:
    state: dict[str, object] = {
        "connected": True, "version": "29.0.2", "scene": "A", "scenes": ["A", "B"], "recording": True,
        "reason": "no safe scene", "inputs": [{"name": "Mic", "muted": True}], "presets": [{"name": "break"}],
    }  # fmt: skip
    said = text(state)
    for words in ("29.0.2; recording, not streaming", "! no safe scene", "● A", "⊘ Mic", "break"):
        assert words in said
    assert "not connected" in text({"connected": False})


def test_microphones(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ears._microphone("x", "").state == "ok"
    monkeypatch.setattr(ears.soundcard, "ask_devices", lambda way: [])
    assert ears._microphone("x", "Box").state == "broken"

    def broken(way: str) -> None:
        raise TroubleError("no_driver", "no driver", "install one")

    monkeypatch.setattr(ears.soundcard, "ask_devices", broken)
    assert "no driver" in ears._microphone("x", "Box").found
