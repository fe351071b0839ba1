"""Frames that somebody made to hurt: each a ProtocolError with a code, or harmless."""

import struct

import pytest

from kitsu.errors import ProtocolError
from kitsu.protocol import MESSAGES, PlayoutClose, PolicyDelta, Unknown, decode
from kitsu.protocol.frames import MAX_BINARY_BYTES, MAX_HEADER_BYTES, MAX_TEXT_BYTES

DEEP = 100_000

TEXT_FRAMES = {
    "empty": ("", "bad_json"),
    "blank": (" \n", "bad_json"),
    "byte order mark": ('\ufeff{"type":"playout.close","segments":1}', "bad_json"),
    "two values": ('{"type":"playout.close","segments":1}{}', "bad_json"),
    "array": ("[]", "bad_message"),
    "string": ('"hello"', "bad_message"),
    "no type": ("{}", "bad_message"),
    "type is a number": ('{"type":1}', "bad_message"),
    "type is null": ('{"type":null}', "bad_message"),
    "type is a list": ('{"type":["hello"]}', "bad_message"),
    "NaN": ('{"type":"playout.flushed","latency_ms":NaN}', "bad_json"),
    "Infinity": ('{"type":"playout.flushed","latency_ms":Infinity}', "bad_json"),
    "float over range": ('{"type":"playout.flushed","latency_ms":1e999}', "bad_message"),
    "million digits": ('{"type":"playout.close","segments":' + "9" * 1_000_000 + "}", "bad_message"),
    "text for a number": ('{"type":"playout.close","segments":"1"}', "bad_message"),
    "bool for a number": ('{"type":"playout.close","segments":true}', "bad_message"),
    "fraction for a whole number": ('{"type":"playout.close","segments":1.5}', "bad_message"),
    "null for a number": ('{"type":"playout.close","segments":null}', "bad_message"),
    "missing field": ('{"type":"playout.close"}', "bad_message"),
    "word outside its set": ('{"type":"playout.open","clock":"sundial"}', "bad_message"),
    "part of the wrong kind": ('{"type":"control.panic","panic":"now"}', "bad_message"),
    "lone surrogate, escaped": ('{"type":"policy.delta","text":"\\ud800"}', "bad_json"),
    "lone surrogate, raw": ('{"type":"policy.delta","text":"\ud800"}', "bad_json"),
    "lone surrogate in type": ('{"type":"\\udfff"}', "bad_json"),
    "raw control character": ('{"type":"policy.delta","text":"\x00"}', "bad_json"),
    "deep list": ("[" * DEEP, "bad_message"),
    "deep list in unknown field": (
        f'{{"type":"playout.close","segments":1,"x":{"[" * DEEP}{"]" * DEEP}}}',
        "bad_json",
    ),
    "deep object in unknown type": (f'{{"type":"no.such","x":{{"a":{"[" * DEEP}{"]" * DEEP}}}}}', "bad_json"),
    "over a megabyte": ('{"type":"policy.delta","text":"' + "x" * MAX_TEXT_BYTES + '"}', "frame_too_large"),
    "over a megabyte in UTF-8": (
        '{"type":"policy.delta","text":"' + "ü" * (MAX_TEXT_BYTES - 99) + '"}',
        "frame_too_large",
    ),
    "binary message as text": (
        '{"type":"tts.audio","segment":0,"chunk":0,"position":0,"rate_hz":1}',
        "wrong_frame_kind",
    ),
}


def binary(header: bytes, payload: bytes = b"", *, length: int | None = None) -> bytes:
    return struct.pack("<I", len(header) if length is None else length) + header + payload


BINARY_FRAMES = {
    "empty": (b"", "frame_truncated"),
    "three bytes": (b"\x01\x00\x00", "frame_truncated"),
    "header of no bytes": (binary(b""), "bad_json"),
    "header longer than the frame": (binary(b"{}", length=3), "frame_truncated"),
    "header of 4 GB": (binary(b"{}", length=0xFFFFFFFF), "frame_too_large"),
    "header over its limit": (binary(b" " * (MAX_HEADER_BYTES + 1)), "frame_too_large"),
    "header is not UTF-8": (binary(b'{"type":"\xff\xfe"}'), "bad_json"),
    "text message as binary": (binary(b'{"type":"playout.close","segments":1}'), "wrong_frame_kind"),
    "over a megabyte": (binary(b"{}", b"\0" * MAX_BINARY_BYTES), "frame_too_large"),
}


@pytest.mark.parametrize("name", TEXT_FRAMES)
def test_text(name: str) -> None:
    sent, code = TEXT_FRAMES[name]
    with pytest.raises(ProtocolError) as caught:
        decode(sent)
    assert caught.value.code == code
    assert len(caught.value.message) < 300


@pytest.mark.parametrize("name", BINARY_FRAMES)
def test_binary(name: str) -> None:
    sent, code = BINARY_FRAMES[name]
    with pytest.raises(ProtocolError) as caught:
        decode(sent)
    assert caught.value.code == code


def test_unknown_fields_are_ignored() -> None:
    message = decode('{"type":"playout.close","segments":3,"colour":{"of":["the","sky"]}}').message
    assert isinstance(message, PlayoutClose)
    assert message.segments == 3


def test_unknown_types_become_unknown_with_a_bounded_name() -> None:
    message = decode('{"type":"' + "x" * 100_000 + '","anything":1}').message
    assert isinstance(message, Unknown)
    assert message.name == "x" * 64


def test_unknown_binary_types_keep_their_payload_apart() -> None:
    received = decode(binary(b'{"type":"face.frame"}', b"picture"))
    assert isinstance(received.message, Unknown)
    assert received.payload == b"picture"


def test_unknown_is_no_type_of_the_wire() -> None:
    assert "unknown" not in MESSAGES
    assert isinstance(decode('{"type":"unknown","name":"forged"}').message, Unknown)


def test_duplicate_keys_take_the_last_value() -> None:
    message = decode('{"type":"playout.close","segments":1,"segments":2}').message
    assert isinstance(message, PlayoutClose)
    assert message.segments == 2


def test_escaped_control_characters_are_only_text() -> None:
    message = decode('{"type":"policy.delta","text":"\\u0000\\u001b[2J"}').message
    assert isinstance(message, PolicyDelta)
    assert message.text == "\0\x1b[2J"
