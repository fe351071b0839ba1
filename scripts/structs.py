"""What a struct's source says about its fields: the types as written and the comments beside them."""

import ast
import inspect
import sys
import tokenize
from dataclasses import dataclass
from io import StringIO
from typing import Any

import msgspec

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


def fields(cls: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The fields in order, inherited ones first."""
    annotations, comments = _source(cls)
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


def _source(cls: type[msgspec.Struct]) -> tuple[dict[str, str], dict[str, str]]:
    """Annotation and trailing comment of each field that the class itself declares."""
    text = inspect.getsource(sys.modules[cls.__module__])
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
