"""Whatever comes in: a message or a ProtocolError, nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kitsu.errors import ProtocolError
from kitsu.protocol import MESSAGES, Author, ChatBatch, ChatLine, Frame, PolicyDelta, TtsAudio, decode, encode
from tests.wire.examples import frame, full

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = sorted(MESSAGES)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def survives(data: str | bytes) -> Frame | None:
    try:
        return decode(data)
    except ProtocolError:
        return None


@given(st.text() | st.binary())
def test_anything(data: str | bytes) -> None:
    survives(data)


@given(st.sampled_from(NAMES), st.dictionaries(st.text(), JSON, max_size=4), JSON)
def test_fields_of_any_shape(name: str, extra: dict[str, object], value: object) -> None:
    fields = dict.fromkeys(MESSAGES[name].__struct_fields__, value)
    survives(json.dumps({**extra, **fields, "type": name}))


@settings(max_examples=300)
@given(st.sampled_from(NAMES), st.data())
def test_one_byte_changed(name: str, data: st.DataObject) -> None:
    whole = frame(full(MESSAGES[name]))
    raw = bytearray(whole.encode() if isinstance(whole, str) else whole)
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    survives(bytes(raw) if isinstance(whole, bytes) else raw.decode("utf-8", "replace"))


@given(TEXT, TEXT)
def test_text_comes_back_as_it_was(text: str, name: str) -> None:
    sent = ChatBatch(lines=(ChatLine(author=Author(name=name), text=text),))
    assert decode(encode(sent)).message == sent


@given(st.binary(max_size=4000), st.integers(0, 10**9))
def test_payload_comes_back_as_it_was(payload: bytes, position: int) -> None:
    sent = TtsAudio(segment=0, chunk=0, position=position, rate_hz=48_000)
    received = decode(encode(sent, payload))
    assert received.message == sent
    assert received.payload == payload


def test_a_lone_surrogate_cannot_be_sent() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode(PolicyDelta(text="\ud83d"))
