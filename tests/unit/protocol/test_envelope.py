"""Ids, times and the table of outcomes."""

from typing import get_args

import pytest

from kitsu.errors import ConfigError, GateError, KitsuError
from kitsu.protocol import (
    MESSAGES,
    REASONS,
    Outcome,
    PolicyDelta,
    TtsAudio,
    encode,
    new_id,
    new_turn_id,
    now_us,
    type_of,
)


def test_ids_are_unique() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert len({new_turn_id() for _ in range(1000)}) == 1000


def test_turn_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([1_700_000_000_000_000_000, 1_700_000_000_001_000_000, 4_000_000_000_000_000_000])
    monkeypatch.setattr("time.time_ns", lambda: next(moments))
    ids = [new_turn_id() for _ in range(3)]
    assert sorted(ids) == ids
    assert len({len(one) for one in ids}) == 1


def test_now_is_in_microseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 1_700_000_000_123_456_789)
    assert now_us() == 1_700_000_000_123_456


def test_type_names_are_dotted_and_lower_case() -> None:
    for name, cls in MESSAGES.items():
        assert type_of(cls) == name
        assert name == "hello" or ("." in name and name == name.lower())


def test_every_outcome_has_reasons() -> None:
    assert set(REASONS) == set(get_args(Outcome))
    assert all(REASONS.values())


def test_payloads_go_with_binary_messages_only() -> None:
    with pytest.raises(AssertionError):
        encode(PolicyDelta(text="x"), b"payload")
    with pytest.raises(AssertionError):
        encode(TtsAudio(segment=0, chunk=0, position=0, rate_hz=1))


def test_errors_carry_code_message_and_retryable() -> None:
    error = GateError("gate_closed", "The gate is closed.", retryable=True)
    assert (error.code, error.message, error.retryable) == ("gate_closed", "The gate is closed.", True)
    assert str(error) == "gate_closed: The gate is closed."
    assert issubclass(ConfigError, KitsuError)
