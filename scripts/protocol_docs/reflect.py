"""Reads the protocol's modules: every struct with its fields, their types as written and the comments beside them."""

import ast
import inspect
import tokenize
from dataclasses import dataclass
from io import StringIO
from types import ModuleType
from typing import Any, get_args

import msgspec

from kitsu.protocol import approved, chat, control, envelope, hub, playout, policy, state, tts, turn
from kitsu.protocol.envelope import Message, Part

MODULES: tuple[ModuleType, ...] = (hub, chat, policy, tts, playout, control, turn, state, approved)
"""In the order in which docs/protocol.md presents them."""

REQUIRED = msgspec.NODEFAULT


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a struct."""

    name: str
    annotation: str  # as written in the source, quotes of forward references removed
    type: Any  # as resolved by msgspec
    default: Any  # REQUIRED, or the default; a factory's product where the default is made anew each time
    made: bool  # the default is made anew each time (ids, timestamps)
    comment: str


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
    return _fields(Message, envelope)


def records(module: ModuleType) -> list[Record]:
    """Messages and parts that a module defines, in source order."""
    return [
        Record(cls, name, inspect.cleandoc(cls.__doc__ or ""), _own_fields(cls, module))
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


def _own_fields(cls: type[msgspec.Struct], module: ModuleType) -> tuple[Field, ...]:
    inherited = {field.name for field in envelope_fields()} if issubclass(cls, Message) else set()
    return tuple(field for field in _fields(cls, module) if field.name not in inherited)


def _fields(cls: type[msgspec.Struct], module: ModuleType) -> tuple[Field, ...]:
    annotations, comments = _source(cls, module)
    found = []
    for info in msgspec.structs.fields(cls):
        made = info.default_factory is not REQUIRED
        default = info.default_factory() if made and info.default_factory in (dict, list, set) else info.default
        found.append(
            Field(
                name=info.name,
                annotation=annotations.get(info.name, ""),
                type=info.type,
                default=default,
                made=made and default is REQUIRED,
                comment=comments.get(info.name, ""),
            )
        )
    return tuple(found)


def _source(cls: type[msgspec.Struct], module: ModuleType) -> tuple[dict[str, str], dict[str, str]]:
    """Annotation and trailing comment of each field, read from the source."""
    text = inspect.getsource(module)
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    trailing = {token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT}
    classes = {node.name: node.body for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    annotations, comments = {}, {}
    for node in classes[cls.__name__]:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            written = ast.unparse(node.annotation)
            plain = written if written.startswith("Literal") else written.replace("'", "")
            annotations[node.target.id] = plain
            comments[node.target.id] = trailing.get(node.end_lineno or node.lineno, "")
    return annotations, comments
