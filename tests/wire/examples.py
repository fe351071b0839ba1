"""One full and one minimal example of every message, always the same bytes.

`python -m tests.wire.examples` writes golden frames that are missing and never replaces one: a golden frame that no
longer fits means that older pages and workers no longer understand us.
"""

import types
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from kitsu.protocol import MESSAGES, Message, encode
from kitsu.protocol.registry import BINARY

GOLDEN = Path(__file__).with_name("golden")
PAYLOAD = bytes(range(256)) * 2  # 256 samples
FIXED = {"id": "0123456789abcdef", "ts": 1_700_000_000_000_000}


def full(cls: type[Message]) -> Message:
    """Every field set to something that is not its default."""
    return msgspec.structs.replace(_struct(cls, only_required=False), **FIXED)


def minimal(cls: type[Message]) -> Message:
    """Only what the message cannot do without."""
    return cls(**_values(cls, only_required=True), **FIXED)


def frame(message: Message) -> str | bytes:
    """The message's frame, with the payload that golden frames carry."""
    return encode(message, PAYLOAD if type(message) in BINARY else None)


def golden(name: str, kind: str) -> Path:
    """The file of a golden frame; `kind` is full or minimal."""
    return GOLDEN / f"{name}.{kind}.{'bin' if MESSAGES[name] in BINARY else 'json'}"


def _struct(cls: type[msgspec.Struct], *, only_required: bool) -> Any:
    return cls(**_values(cls, only_required=only_required))


def _values(cls: type[msgspec.Struct], *, only_required: bool) -> dict[str, Any]:
    wanted = [field for field in msgspec.structs.fields(cls) if field.required or not only_required]
    return {field.name: _value(field.name, field.type, field.default) for field in wanted}


def _value(name: str, annotation: Any, default: Any = msgspec.NODEFAULT) -> Any:
    origin, args = get_origin(annotation), get_args(annotation)
    simple: dict[Any, Any] = {str: f"{name} “ü” 🦊", int: 42, float: 1.5, bool: default is not True}
    if annotation in simple:
        return simple[annotation]
    if origin is Literal:
        return next(word for word in reversed(args) if word != default)
    if origin in (Union, types.UnionType):
        return _value(name, args[0])
    if origin is tuple:
        return (_value(name, args[0]),) * 2
    if origin is dict:
        return {"one": _value(name, args[1]), "two": _value(name, args[1])}
    part = origin or annotation
    assert not isinstance(part, TypeVar)
    return _struct(part, only_required=False)


def main() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, cls in MESSAGES.items():
        for kind, make in (("full", full), ("minimal", minimal)):
            path = golden(name, kind)
            if not path.exists():
                data = frame(make(cls))
                path.write_bytes(data.encode() if isinstance(data, str) else data)


if __name__ == "__main__":
    main()
