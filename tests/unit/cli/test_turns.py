"""`kitsu chat` and `kitsu say`: other tools rely on what they print and how they exit."""

import json
from pathlib import Path

import pytest

from kitsu_cli.exits import Exit
from kitsu_cli.turn import FIELDS
from tests.fakes.orchestrator_rest import TURN, WAV, FakeRest
from tests.unit.cli.conftest import Kitsu


def test_chat_prints_the_contract_and_nothing_else(kitsu: Kitsu, rest: FakeRest) -> None:
    code, out, err = kitsu("chat", "hello, who are you?", "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    turn = json.loads(out)
    assert tuple(turn) == FIELDS
    assert turn == {field: TURN[field] for field in FIELDS}
    assert rest.asked[0].body == {"text": "hello, who are you?", "wait": True, "timeout_s": 60.0}


def test_without_json_it_is_the_same_object_laid_out(kitsu: Kitsu, rest: FakeRest) -> None:
    _, out, _ = kitsu("chat", "hi")
    assert out.count("\n") > 5
    assert tuple(json.loads(out)) == FIELDS


def test_everything_that_was_said_about_the_line_is_sent(kitsu: Kitsu, rest: FakeRest) -> None:
    kitsu("chat", "hi", "--author", "Mia", "--role", "mod", "--conv", "page:1", "--timeout", "5")
    assert rest.asked[0].body == {
        "text": "hi",
        "author": "Mia",
        "role": "mod",
        "conv": "page:1",
        "wait": True,
        "timeout_s": 5.0,
    }


def test_say(kitsu: Kitsu, rest: FakeRest) -> None:
    code, out, _ = kitsu("say", "welcome", "--now", "--json")
    assert code == 0
    assert (rest.asked[0].path, rest.asked[0].body["now"]) == ("/say", True)
    assert tuple(json.loads(out)) == FIELDS


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("spoken", 0), ("fallback", 0)]
    + [(o, 1) for o in ("blocked", "held", "dropped", "muted", "interrupted", "expired", "failed", "panic")],
)
def test_exit_codes_follow_the_outcome(kitsu: Kitsu, rest: FakeRest, outcome: str, code: int) -> None:
    rest.answers["POST /chat"] = (200, TURN | {"outcome": outcome})
    got, out, _ = kitsu("chat", "hi", "--json")
    assert got == code
    assert json.loads(out)["outcome"] == outcome


def test_wav_is_what_was_played(kitsu: Kitsu, rest: FakeRest, tmp_path: Path) -> None:
    target = tmp_path / "out.wav"
    target.write_bytes(b"old")
    assert kitsu("chat", "hi", "--wav", str(target))[0] == 0
    assert target.read_bytes() == WAV
    assert [path.name for path in tmp_path.glob("*out.wav*")] == ["out.wav"]


def test_a_wav_that_cannot_be_written_is_said_before_she_speaks(kitsu: Kitsu, rest: FakeRest, tmp_path: Path) -> None:
    for target in (tmp_path / "none" / "out.wav", tmp_path):
        code, out, err = kitsu("chat", "hi", "--wav", str(target))
        assert (code, out) == (Exit.FILE, "")
        assert str(target) in err
    assert rest.asked == []


def test_a_recording_that_is_gone_leaves_no_file(kitsu: Kitsu, rest: FakeRest, tmp_path: Path) -> None:
    rest.answers[f"GET /turns/{TURN['turn_id']}/audio.wav"] = (404, {"error": {"code": "no_audio", "message": "gone"}})
    code, _, err = kitsu("chat", "hi", "--wav", str(tmp_path / "out.wav"))
    assert (code, "gone" in err) == (Exit.REFUSED, True)
    assert not list(tmp_path.glob("*out.wav*"))


def test_no_wav_for_a_turn_that_was_not_spoken(kitsu: Kitsu, rest: FakeRest, tmp_path: Path) -> None:
    rest.answers["POST /chat"] = (200, TURN | {"outcome": "blocked"})
    kitsu("chat", "hi", "--wav", str(tmp_path / "out.wav"))
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (
            (422, {"error": {"code": "empty_text", "message": "There is nothing to say."}}),
            Exit.REFUSED,
            "nothing to say",
        ),
        ((504, {"error": {"code": "timeout", "message": "not ended yet"}}), Exit.TIMEOUT, "not ended yet"),
        ((401, {"error": {"code": "bad_token", "message": "no"}}), Exit.REFUSED, "no"),
        ((500, b"oops"), Exit.REFUSED, "HTTP 500"),
        ((500, b'{"error": 5}'), Exit.REFUSED, "HTTP 500"),
        ((200, b"<html>a router</html>"), Exit.REFUSED, "not Kitsu"),
        ((200, b"[" * 100_000), Exit.REFUSED, "not Kitsu"),
        ((200, []), Exit.REFUSED, "does not speak like Kitsu"),
        ((202, {"turn_id": "x"}), Exit.REFUSED, "does not speak like Kitsu"),
    ],
)
def test_answers_that_are_no_turn(
    kitsu: Kitsu, rest: FakeRest, answer: tuple[int, object], code: Exit, words: str
) -> None:
    rest.answers["POST /chat"] = answer
    got, out, err = kitsu("chat", "hi", "--json")
    assert (got, out) == (code, "")
    assert words in err
    assert err.count("\n") == 1


def test_nobody_there(kitsu: Kitsu, where: Path) -> None:
    code, _, err = kitsu("chat", "hi")
    assert code == Exit.NOT_RUNNING
    assert "kitsu start" in err


def test_never_started(kitsu: Kitsu, where: Path) -> None:
    (where / "secrets" / "token").unlink()
    code, _, err = kitsu("chat", "hi")
    assert code == Exit.NOT_RUNNING
    assert "kitsu start" in err


def test_an_answer_that_does_not_come(kitsu: Kitsu, rest: FakeRest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kitsu_cli.turn.ANSWER_GRACE_S", 0.05)
    rest.frozen.set()
    code, _, err = kitsu("chat", "hi", "--timeout", "0.1")
    assert code == Exit.TIMEOUT
    assert "did not answer" in err


def test_bytes_that_are_no_text(kitsu: Kitsu, rest: FakeRest) -> None:
    assert kitsu("chat", "a\udcffb")[0] == 0
    assert rest.asked[0].body["text"] == "a?b"
