import json

import pytest

from kitsu_launcher.beats import Beat, Lines, parse_beat, parse_log, printable


def test_a_heartbeat_is_read() -> None:
    line = b'{"ready": true, "state": "degraded", "reason": "no model"}\n'
    assert parse_beat(line) == Beat(True, "degraded", "no model")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"\xff\xfe",
        b"{}",
        b'{"ready": 1, "state": "ok"}',
        b'{"ready": true, "state": "wonderful"}',
        b'{"ready": true, "state": ["ok"]}',
        b'{"ready": true, "state": "ok", "reason": 7}',
        b"[" * 200_000,
        b'{"ready": true, "state": "ok"',
    ],
)
def test_anything_else_is_no_heartbeat(line: bytes) -> None:
    assert parse_beat(line) is None


def test_reasons_are_one_short_printable_line() -> None:
    beat = parse_beat(json.dumps({"ready": True, "state": "ok", "reason": "a\x1b[2J\n" + "b" * 999}).encode())
    assert beat is not None
    assert beat.reason.isprintable()
    assert len(beat.reason) == 300
    assert printable("  plain ") == "plain"


def test_json_lines_go_to_the_log_as_they_are() -> None:
    line = b'{"level": "INFO", "event": "x"}'
    assert parse_log("tts", line).text == line.decode()
    assert parse_log("tts", line).failure == ""


def test_errors_are_remembered_in_words() -> None:
    assert parse_log("tts", b'{"level": "ERROR", "event": "e", "message": "no voice"}').failure == "no voice"
    assert parse_log("tts", b'{"level": "error", "event": "e"}').failure == "e"


@pytest.mark.parametrize("line", [b"Traceback: boom", b"\xff\x00", b'"text"', b"{" * 100_000])
def test_other_lines_are_wrapped(line: bytes) -> None:
    entry = parse_log("tts", line)
    data = json.loads(entry.text)
    assert data["service"] == "tts"
    assert data["event"] == "stderr"
    assert "\n" not in entry.text


def test_a_stray_print_is_no_failure() -> None:
    assert parse_log("tts", b"hi", "stdout").failure == ""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_however_they_arrive(size: int) -> None:
    data = b"one\ntwo\n\n" + b"x" * 50 + b"\nthree\nlast"
    lines = Lines(limit=10)
    got = [line for at in range(0, len(data), size) for line in lines.feed(data[at : at + size])] + lines.finish()
    assert got == [b"one", b"two", b"x" * 10, b"three", b"last"]


def test_an_endless_line_takes_no_memory() -> None:
    lines = Lines(limit=100)
    got = [line for _ in range(1000) for line in lines.feed(b"y" * 100)]
    assert got == [b"y" * 100]
    assert lines.feed(b"\nnext\n") == [b"next"]
