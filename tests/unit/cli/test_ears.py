"""`kitsu ears` and `kitsu transcribe` against a scripted door."""

import json
from pathlib import Path
from typing import Any

import pytest

from kitsu_cli.exits import Exit
from tests.fakes.orchestrator_rest import STATUS, FakeRest
from tests.unit.cli.conftest import Kitsu

EARS: dict[str, Any] = {
    "running": True,
    "state": {
        "configured": True,
        "engine": "pocketsphinx",
        "sources": [
            {
                "source_id": "device",
                "kind": "device",
                "conv": "stage",
                "label": "USB \x1b[2JMic",
                "speaker": {"name": "Robin"},
            },
            {"source_id": "b1", "kind": "browser", "conv": "page:1", "state": "lost", "mode": "push_to_talk"},
        ],
    },
    "counts": {"lines": 3, "guesses_kept": 2},
    "latency_ms": {
        "endpoint_p50": 640.0,
        "endpoint_p95": 800.0,
        "final_to_audio_p50": 36.2,
        "final_to_audio_p95": 63.0,
    },
}


def test_status(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["GET /ears"] = (200, EARS)
    code, out, _ = kitsu("ears")
    assert code == Exit.OK
    for words in (
        "pocketsphinx",
        "Robin, open, to stage",
        "guesses kept 2, lines 3",
        "end of speech to words 640 ms (p95 800); words to sound 36 ms (p95 63)",
        "push_to_talk",
    ):
        assert words in out
    assert "\x1b" not in out
    assert json.loads(kitsu("ears", "--json")[1]) == EARS


@pytest.mark.parametrize("ears", [EARS, {**EARS, "latency_ms": {}}, None])
def test_the_shows_status_has_the_times(
    kitsu: Kitsu, rest: FakeRest, launcher: FakeRest, ears: dict[str, Any] | None
) -> None:
    rest.answers["GET /status"] = (200, {**STATUS, "ears": ears})
    _, out, _ = kitsu("status")
    shown = "words to sound 36 ms (p95 63)" in out
    assert shown == bool(ears and ears["latency_ms"])


def test_ears_that_do_not_run(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["GET /ears"] = (200, {"running": False, "state": None, "counts": {}, "latency_ms": {}})
    code, out, _ = kitsu("ears")
    assert (code, "KITSU__ASR__ENABLED" in out) == (Exit.NO, True)


def test_trouble_and_no_microphone(kitsu: Kitsu, rest: FakeRest) -> None:
    state = {"muted": True, "trouble": "The microphone is gone."}
    rest.answers["GET /ears"] = (200, {**EARS, "state": state, "counts": {}, "latency_ms": {}})
    code, out, _ = kitsu("ears", "status")
    assert code == Exit.NO
    for words in ("muted", "The microphone is gone.", "no microphone", "nothing"):
        assert words in out


@pytest.mark.parametrize("verb", ["mute", "unmute"])
def test_mute(kitsu: Kitsu, rest: FakeRest, verb: str) -> None:
    rest.answers[f"POST /ears/{verb}"] = (200, {"muted": verb == "mute"})
    assert kitsu("ears", verb)[0] == Exit.OK
    rest.answers[f"POST /ears/{verb}"] = (503, {"error": {"code": "asr_missing", "message": "The ears are away."}})
    code, _, err = kitsu("ears", verb)
    assert (code, "The ears are away." in err) == (Exit.REFUSED, True)


def test_mode(kitsu: Kitsu, rest: FakeRest) -> None:
    rest.answers["POST /ears/mode"] = (200, {"conv": "stage", "mode": "wake_word"})
    assert kitsu("ears", "mode", "wake_word")[0] == Exit.OK
    assert rest.asked[-1].body == {"mode": "wake_word"}
    assert kitsu("ears", "mode")[0] == Exit.USAGE
    assert kitsu("ears", "mode", "loud")[0] == Exit.USAGE
    assert kitsu("ears", "shout")[0] == Exit.USAGE


def test_use(kitsu: Kitsu, rest: FakeRest) -> None:
    there = {"chosen": "USB Mic", "there": ["USB Mic", "Built-in"], "default": "Built-in", "trouble": ""}
    rest.answers["GET /ears/devices"] = (200, there)
    out = kitsu("ears", "use")[1]
    assert "* USB Mic" in out
    assert "  Built-in (the system's default)" in out
    assert json.loads(kitsu("ears", "use", "--json")[1]) == there
    rest.answers["POST /ears/use"] = (200, {"device": "Built-in"})
    assert "listens to Built-in" in kitsu("ears", "use", "built")[1]
    rest.answers["POST /ears/use"] = (200, {"device": ""})
    assert "browsers only" in kitsu("ears", "use", "none")[1]


def test_transcribe(kitsu: Kitsu, rest: FakeRest, tmp_path: Path) -> None:
    sound = tmp_path / "note.wav"
    sound.write_bytes(bytes(range(256)) * 1000)
    answer = {"text": "hello there", "language": "en", "words": []}
    rest.answers["POST /transcribe"] = (200, answer)
    code, out, _ = kitsu("transcribe", str(sound))
    assert (code, out.strip()) == (Exit.OK, "hello there")
    assert rest.asked[-1].raw == sound.read_bytes()
    assert json.loads(kitsu("transcribe", str(sound), "--json")[1]) == answer
    rest.answers["POST /transcribe"] = (422, {"error": {"code": "bad_sound_file", "message": "That is no sound."}})
    code, _, err = kitsu("transcribe", str(sound))
    assert (code, "That is no sound." in err) == (Exit.REFUSED, True)


def test_transcribe_nothing(kitsu: Kitsu, rest: FakeRest, tmp_path: Path) -> None:
    code, _, err = kitsu("transcribe", str(tmp_path / "missing.wav"))
    assert (code, "missing.wav" in err) == (Exit.USAGE, True)
    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate((64 << 20) + 1)
    assert kitsu("transcribe", str(large))[0] == Exit.REFUSED
    assert not rest.asked
