"""Golden frames: what this version sends is what older ones understood, byte for byte."""

import pytest

from kitsu.protocol import MESSAGES, decode
from kitsu.protocol.registry import BINARY
from tests.wire.examples import GOLDEN, PAYLOAD, frame, full, golden, minimal

CASES = [(name, kind) for name in MESSAGES for kind in ("full", "minimal")]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_frame_is_the_golden_one(name: str, kind: str) -> None:
    message = (full if kind == "full" else minimal)(MESSAGES[name])
    sent = frame(message)
    stored = golden(name, kind).read_bytes()

    assert (sent.encode() if isinstance(sent, str) else sent) == stored
    received = decode(stored if MESSAGES[name] in BINARY else stored.decode())
    assert received.message == message
    assert received.payload == (PAYLOAD if MESSAGES[name] in BINARY else None)


def test_every_golden_frame_belongs_to_a_message() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {golden(name, kind).name for name, kind in CASES}
