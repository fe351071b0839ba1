"""One websocket frame = one message.

Text frame: the message as JSON. Binary frame: `u32le` header length, the message as JSON, the raw payload.
"""

import struct
from typing import NamedTuple

import msgspec

from kitsu.errors import ProtocolError
from kitsu.protocol.envelope import Message, type_of
from kitsu.protocol.registry import BINARY, MESSAGES, AnyMessage

MAX_TEXT_BYTES = 1 << 20
MAX_HEADER_BYTES = 64 << 10
MAX_BINARY_BYTES = 1 << 20
MAX_HELLO_BYTES = 4 << 10

_LENGTH = struct.Struct("<I")
_decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(AnyMessage)
_encoder = msgspec.json.Encoder()


class _Probe(msgspec.Struct):
    type: str


_probe = msgspec.json.Decoder(_Probe)
_NOT_JSON = (msgspec.DecodeError, UnicodeError, RecursionError)  # broken, not UTF-8, nested beyond reason


class Unknown(Message, frozen=True, kw_only=True, tag="unknown"):
    """A message of a type that this version does not know. Log its name once and go on."""

    name: str


class Frame(NamedTuple):
    """A decoded frame."""

    message: Message
    payload: memoryview | None


def encode(message: Message, payload: bytes | memoryview | None = None) -> str | bytes:
    """The frame for a message: `str` to be sent as text, `bytes` as binary."""
    header = _encoder.encode(message)
    if type(message) not in BINARY:
        assert payload is None, f"{type_of(message)} carries no payload"
        return header.decode()
    assert payload is not None, f"{type_of(message)} needs a payload"
    return b"".join((_LENGTH.pack(len(header)), header, payload))


def decode(frame: str | bytes) -> Frame:
    """The message in a frame.

    Raises:
        ProtocolError: `frame_too_large`, `frame_truncated`, `bad_json`, `bad_message`, `wrong_frame_kind`.
    """
    if isinstance(frame, str):
        if len(frame) > MAX_TEXT_BYTES or (not frame.isascii() and _utf8_bytes(frame) > MAX_TEXT_BYTES):
            raise ProtocolError("frame_too_large", f"text frame over {MAX_TEXT_BYTES} bytes")
        return _checked(_message(frame), None)
    if len(frame) > MAX_BINARY_BYTES:
        raise ProtocolError("frame_too_large", f"binary frame over {MAX_BINARY_BYTES} bytes")
    if len(frame) < _LENGTH.size:
        raise ProtocolError("frame_truncated", "binary frame ends inside its length field")
    (length,) = _LENGTH.unpack_from(frame)
    if length > MAX_HEADER_BYTES:
        raise ProtocolError("frame_too_large", f"header over {MAX_HEADER_BYTES} bytes")
    view = memoryview(frame)
    end = _LENGTH.size + length
    if len(view) < end:
        raise ProtocolError("frame_truncated", "binary frame ends inside its header")
    return _checked(_message(view[_LENGTH.size : end]), view[end:])


def _utf8_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _message(data: str | memoryview) -> Message:
    try:
        message: Message = _decoder.decode(data)
    except msgspec.ValidationError as error:
        name = _type_name(data)
        if name not in MESSAGES:
            return Unknown(name=name[:64])
        raise ProtocolError("bad_message", f"{name}: {error}") from None
    except _NOT_JSON:
        raise ProtocolError("bad_json", "frame is not JSON that can be read") from None
    return message


def _type_name(data: str | memoryview) -> str:
    try:
        return _probe.decode(data).type
    except msgspec.ValidationError:
        raise ProtocolError("bad_message", "frame holds no object with a `type`") from None
    except _NOT_JSON:
        raise ProtocolError("bad_json", "frame is not JSON that can be read") from None


def _checked(message: Message, payload: memoryview | None) -> Frame:
    binary = type(message) in BINARY
    if not isinstance(message, Unknown) and binary != (payload is not None):
        raise ProtocolError("wrong_frame_kind", f"{type_of(message)} came in the wrong kind of frame")
    return Frame(message, payload)
