"""The seal on approved text: any change between gate and exit shows."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kitsu.errors import ProtocolError
from kitsu.protocol import Approved, Speech, TtsSynthesize, checked, decode, encode
from kitsu.protocol.approved import SEAL_KEY_BYTES, SURFACES, seal

KEY = bytes(range(SEAL_KEY_BYTES))
TURN = "018f-abc"


def forged(**changes: Any) -> Approved[Speech]:
    """Text as the gate would seal it, then changed on its way."""
    honest: dict[str, Any] = {"text": "hello there", "surface": "speech", "turn_id": TURN}
    seal_of = seal(KEY, honest["text"], honest["surface"], honest["turn_id"])
    return Approved[Speech](**{**honest, "seal": seal_of, **changes})


def test_what_the_gate_sealed_comes_out() -> None:
    assert checked(forged(), KEY, "speech", TURN) == "hello there"


def test_the_seal_survives_the_wire() -> None:
    sent = TtsSynthesize(turn_id=TURN, segment=0, speech=forged())
    received = decode(encode(sent)).message
    assert isinstance(received, TtsSynthesize)
    assert checked(received.speech, KEY, "speech", TURN) == "hello there"


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "hello therе"},  # a Cyrillic letter
        {"text": ""},
        {"text": "hello there\0"},
        {"surface": "caption"},
        {"turn_id": "018f-abd"},
        {"seal": ""},
        {"seal": "0" * 32},
        {"seal": "ü" * 32},
    ],
)
def test_any_change_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(ProtocolError) as caught:
        checked(forged(**changes), KEY, "speech", TURN)
    assert caught.value.code == "bad_seal"


@pytest.mark.parametrize(
    ("key", "surface", "turn_id"),
    [(bytes(SEAL_KEY_BYTES), "speech", TURN), (KEY, "caption", TURN), (KEY, "speech", "another"), (KEY, "speech", "")],
)
def test_another_exit_key_or_turn_refuses_it(key: bytes, surface: Any, turn_id: str) -> None:
    with pytest.raises(ProtocolError, match="seal"):
        checked(forged(), key, surface, turn_id)


def test_the_complaint_does_not_repeat_the_text() -> None:
    with pytest.raises(ProtocolError) as caught:
        checked(forged(text="something nobody may hear"), KEY, "speech", TURN)
    assert "nobody may hear" not in caught.value.message


@given(st.text(), st.text(), st.sampled_from(SURFACES), st.sampled_from(SURFACES))
def test_two_texts_never_share_a_seal(one: str, other: str, here: Any, there: Any) -> None:
    same = (one, here) == (other, there)
    assert (seal(KEY, one, here, TURN) == seal(KEY, other, there, TURN)) == same


def test_approved_is_frozen() -> None:
    with pytest.raises(AttributeError):
        forged().text = "x"  # type: ignore[misc]
    assert msgspec.structs.asdict(forged())["text"] == "hello there"
