"""What a setting may be, in words: for complaints and for the documented files."""

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from msgspec import Meta

_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false", type(None): "null"}


def allowed(annotation: Any) -> str:
    """The values that a field takes, e.g. `a number from 0.5 to 2, or null`."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        limits = [_limits(meta) for meta in args[1:] if isinstance(meta, Meta)]
        return " ".join([allowed(args[0]), *filter(None, limits)])
    if origin is Literal:
        return " | ".join(map(str, args))
    if origin is tuple:
        return f"a list of {allowed(args[0])}"
    if origin in (Union, types.UnionType):
        return ", or ".join(map(allowed, args))
    return _NAMES[annotation]


def is_list(annotation: Any) -> bool:
    """Whether a field takes several values."""
    if get_origin(annotation) is Annotated:
        return is_list(get_args(annotation)[0])
    return get_origin(annotation) is tuple


def is_secret(name: str) -> bool:
    """Whether a setting's value may never be shown."""
    return name.endswith(("api_key", "password", "secret", "token"))


def _limits(meta: Meta) -> str:
    words = []
    if meta.ge is not None and meta.le is not None:
        words.append(f"from {_number(meta.ge)} to {_number(meta.le)}")
    else:
        bounds = {"above": meta.gt, "at least": meta.ge, "below": meta.lt, "at most": meta.le}
        words += [", ".join(f"{word} {_number(bound)}" for word, bound in bounds.items() if bound is not None)]
    if meta.pattern is not None:
        words.append(f"like {meta.pattern}")
    return " ".join(filter(None, words))


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else str(value)
