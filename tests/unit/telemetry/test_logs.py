"""Logs are JSON lines with static event names, on stderr."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kitsu.config import Source
from kitsu.telemetry import log, setup_logs

Capture = pytest.CaptureFixture[str]


@contextmanager
def logging_as(service: str) -> Iterator[None]:
    """A process that has set up its logs; pytest's own handlers come back afterwards."""
    source = Source()
    source.values["logs"] = {"level": "info"}
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kitsu.config.loading.read", lambda: source)
        setup_logs(service)
        try:
            yield
        finally:
            root.handlers[:] = handlers
            root.setLevel(level)


def written(capsys: Capture) -> list[dict[str, Any]]:
    """What was logged: every line of stderr."""
    captured = capsys.readouterr()
    assert captured.out == ""  # stdout belongs to the heartbeats
    return [json.loads(line) for line in captured.err.split("\n") if line]


def test_one_line_an_event(capsys: Capture) -> None:
    with logging_as("tts"):
        log.info("turn.ended", turn_id="t1", audio_ms=12.5)
        log.debug("too.small")
        log.warning("outbox.full")
        log.error("process.failed")
    first, *others = written(capsys)
    assert first.pop("ts").startswith("20")
    assert first == {
        "level": "INFO",
        "logger": "kitsu",
        "event": "turn.ended",
        "service": "tts",
        "turn_id": "t1",
        "audio_ms": 12.5,
    }
    assert [entry["level"] for entry in others] == ["WARNING", "ERROR"]


@pytest.mark.parametrize("key", ["name", "message", "args", "msg", "levelname", "asctime", "exc_info", "module"])
def test_names_that_logging_keeps_for_itself_get_an_underscore(capsys: Capture, key: str) -> None:
    with logging_as("tts"):
        log.info("event", **{key: "value"})
    (entry,) = written(capsys)
    assert entry["event"] == "event"
    assert entry[f"{key}_"] == "value"


def test_text_of_viewers_keeps_its_mark_and_its_line(capsys: Capture) -> None:
    with logging_as("tts"):
        log.info("chat.line", pii_text='two\nlines "and" %s \u2028 \x1b[2J')
    (entry,) = written(capsys)
    assert entry["pii_text"] == 'two\nlines "and" %s \u2028 \x1b[2J'


def test_tracebacks_stay_in_one_line(capsys: Capture) -> None:
    with logging_as("tts"):
        try:
            raise ValueError("broken")
        except ValueError:
            log.exception("engine.broke", engine="espeak")
    (entry,) = written(capsys)
    assert entry["level"] == "ERROR"
    assert "ValueError: broken" in entry["exc_info"]


def test_values_that_are_not_json_are_written_as_text(capsys: Capture) -> None:
    with logging_as("tts"):
        log.info("odd", values={1, 2}, error=OSError("x"), data=b"\xff")
    assert len(written(capsys)) == 1


def test_libraries_may_only_warn(capsys: Capture) -> None:
    with logging_as("tts"):
        logging.getLogger("httpx").info("GET https://example.org/?key=secret")
        logging.getLogger("httpx").warning("something is odd")
    assert [entry["event"] for entry in written(capsys)] == ["something is odd"]
