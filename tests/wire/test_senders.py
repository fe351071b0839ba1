"""Who may send what: the table that keeps anyone but the orchestrator away from the audience."""

from typing import get_args

import pytest

from kitsu.protocol import (
    EXITS,
    MAY_SEND,
    MESSAGES,
    ChatSend,
    ControlLevels,
    ControlPanic,
    ControlResume,
    Hello,
    Message,
    PanicConfirmed,
    PlayoutCaption,
    PlayoutOpen,
    PolicyRespond,
    Role,
    ServiceHealth,
    StateSnapshot,
    TtsSynthesize,
    TurnSegment,
    TurnStarted,
)

WORKERS = set(MAY_SEND) - {"orchestrator"}
ONLY_ORCHESTRATOR = (
    TtsSynthesize,
    PlayoutOpen,
    PlayoutCaption,
    PolicyRespond,
    TurnStarted,
    TurnSegment,
    StateSnapshot,
    ControlPanic,
    ControlResume,
    ControlLevels,
    ChatSend,
)


def test_every_role_has_a_list() -> None:
    assert set(MAY_SEND) == set(get_args(Role))


@pytest.mark.parametrize("cls", MESSAGES.values())
def test_every_message_has_a_sender(cls: type[Message]) -> None:
    assert cls is Hello or any(cls in allowed for allowed in MAY_SEND.values())


@pytest.mark.parametrize("cls", ONLY_ORCHESTRATOR)
def test_only_the_orchestrator_reaches_the_audience(cls: type[Message]) -> None:
    assert [role for role, allowed in MAY_SEND.items() if cls in allowed] == ["orchestrator"]


def test_hello_is_sent_once_and_never_after() -> None:
    assert not any(Hello in allowed for allowed in MAY_SEND.values())


@pytest.mark.parametrize("role", sorted(WORKERS))
def test_every_worker_can_tell_how_it_is_and_that_it_is_silent(role: Role) -> None:
    assert {ServiceHealth, PanicConfirmed} <= MAY_SEND[role]


def test_roles_that_let_no_text_out_get_no_key() -> None:
    assert {"tts", "playout", "obs", "control", "twitch"} == EXITS
    assert "policy" not in EXITS


@pytest.mark.parametrize("role", sorted(WORKERS))
def test_no_worker_may_send_approved_text(role: Role) -> None:
    carriers = {cls for cls in MESSAGES.values() if "Approved[" in repr(cls.__annotations__)}
    assert carriers
    assert not carriers & MAY_SEND[role]
