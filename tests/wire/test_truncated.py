"""Frames that end too early."""

import pytest

from kitsu.errors import ProtocolError
from kitsu.protocol import MESSAGES, decode
from kitsu.protocol.registry import BINARY
from tests.wire.examples import PAYLOAD, frame, full

TEXT = [cls for cls in MESSAGES.values() if cls not in BINARY]


@pytest.mark.parametrize("cls", sorted(BINARY, key=str))
def test_binary_frame_cut_anywhere_before_its_payload(cls: type) -> None:
    whole = frame(full(cls))
    assert isinstance(whole, bytes)
    for end in range(len(whole) - len(PAYLOAD)):
        with pytest.raises(ProtocolError) as caught:
            decode(whole[:end])
        assert caught.value.code == "frame_truncated"


@pytest.mark.parametrize("cls", sorted(BINARY, key=str))
def test_payload_may_be_short_but_never_longer_than_the_frame(cls: type) -> None:
    whole = frame(full(cls))
    assert isinstance(whole, bytes)
    for missing in (1, 2, len(PAYLOAD)):
        payload = decode(whole[: len(whole) - missing]).payload
        assert payload is not None
        assert payload == PAYLOAD[: len(PAYLOAD) - missing]


@pytest.mark.parametrize("cls", TEXT)
def test_text_frame_cut_anywhere(cls: type) -> None:
    whole = frame(full(cls))
    assert isinstance(whole, str)
    for end in range(0, len(whole), 1 + len(whole) // 300):
        with pytest.raises(ProtocolError) as caught:
            decode(whole[:end])
        assert caught.value.code == "bad_json"
