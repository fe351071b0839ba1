"""Reads the protocol's modules: every struct, in the order in which docs/protocol.md presents them."""

import ast
import inspect
from dataclasses import dataclass
from types import ModuleType
from typing import get_args

import msgspec

from kitsu.protocol import approved, asr, body, chat, control, hub, obs, playout, policy, state, tts, turn
from kitsu.protocol.envelope import Message, Part
from structs import Field, fields

MODULES: tuple[ModuleType, ...] = (hub, chat, policy, tts, playout, asr, obs, body, control, turn, state, approved)


@dataclass(frozen=True, slots=True)
class Record:
    """One struct."""

    cls: type[msgspec.Struct]
    name: str
    doc: str
    own: tuple[Field, ...]  # without the envelope's fields

    @property
    def message_type(self) -> str:
        """The dotted name on the wire; empty for parts."""
        tag = self.cls.__struct_config__.tag
        return tag if isinstance(tag, str) else ""


def envelope_fields() -> tuple[Field, ...]:
    """What every message carries."""
    return fields(Message)


def records(module: ModuleType) -> list[Record]:
    """Messages and parts that a module defines, in source order."""
    return [
        Record(cls, name, inspect.cleandoc(cls.__doc__ or ""), _own_fields(cls))
        for name, cls in vars(module).items()
        if isinstance(cls, type) and issubclass(cls, Message | Part) and cls.__module__ == module.__name__
    ]


def all_records() -> list[Record]:
    """Every message and part, in the order of MODULES."""
    return [record for module in MODULES for record in records(module)]


def aliases(module: ModuleType) -> dict[str, tuple[str, ...]]:
    """Named sets of words that a module defines, e.g. `Outcome`."""
    tree = ast.parse(inspect.getsource(module))
    targets = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign) and _is_literal(node)]
    names = [target.id for target in targets if isinstance(target, ast.Name)]
    return {name: get_args(getattr(module, name)) for name in names}


def _is_literal(node: ast.Assign) -> bool:
    value = node.value
    return isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name) and value.value.id == "Literal"


def _own_fields(cls: type[msgspec.Struct]) -> tuple[Field, ...]:
    inherited = {field.name for field in envelope_fields()} if issubclass(cls, Message) else set()
    return tuple(field for field in fields(cls) if field.name not in inherited)
