"""YAML files checked against a struct. A complaint knows its file and line."""

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

StructT = TypeVar("StructT", bound=msgspec.Struct)

END = "..."
"""YAML's end-of-document mark. Each of these files must end with it, so that half a file is never taken for a whole."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 8
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_BaseLoader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class _Loader(_BaseLoader):  # type: ignore[misc]  # the C one where there is one
    """Reads every scalar as text (`no` and `on` are words here; the struct says what is a number), every key once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        if len(mapping) < len(node.value):  # YAML lets the last one win, and the first one's rules would be gone
            keys = [key.value for key, _ in node.value]
            twice = next(key for key, _ in node.value if keys.count(key.value) > 1)
            raise _refusal(f"{twice.value!r} stands there twice", twice.start_mark)
        return mapping


class DataFileError(Exception):
    """A file that cannot be used. `missing` is True when it is not there at all; `line` counts from 1, 0 = unknown."""

    def __init__(self, path: Path, line: int, what: str, *, missing: bool = False) -> None:
        super().__init__(f"{path}, line {line}: {what}" if line else f"{path}: {what}")
        self.path = path
        self.line = line
        self.missing = missing


def read_yaml(path: Path, struct: type[StructT]) -> StructT:
    """The file's content as `struct`.

    Raises:
        DataFileError: missing, not readable, half-written, not YAML, or not what the struct wants.
    """
    text = _text(path)
    lines = text.rstrip().splitlines()
    if not lines or lines[-1] != END:
        raise DataFileError(path, len(lines), f"must end with a line `{END}`; it looks half-written")
    try:
        _refuse_depths(text)
        data = yaml.load(text, Loader=_Loader)  # constructs nothing but text, lists and mappings
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "not text"
        raise DataFileError(path, mark.line + 1 if mark else 0, f"not valid YAML ({problem})") from None
    try:
        return msgspec.convert(data, struct, strict=False)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `")
        keys = _keys(data, struct, where.rstrip("`"))
        line = _descend(yaml.compose(text, Loader=_Loader), keys)
        raise DataFileError(path, line, f"{'.'.join(map(str, keys)) or 'file'}: {what}") from None


def line_of(path: Path, *keys: str | int) -> int:
    """The line (from 1) of what `keys` lead to, for complaints that the struct alone cannot make; 0 when not found."""
    return _descend(yaml.compose(_text(path), Loader=_Loader), keys)


def _refuse_depths(text: str) -> None:
    """The C parser dies of deep nesting, and nested aliases grow without end."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _refusal("nested too deeply", event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            raise _refusal("aliases are not supported", event.start_mark)


def _refusal(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    """`mark` is one of either parser: the C one has a type of its own."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise DataFileError(path, 0, f"is larger than {MAX_BYTES >> 10} KiB")
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise DataFileError(path, 0, "is not there", missing=True) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataFileError(path, 0, f"cannot be read ({error})") from None


def _keys(data: Any, struct: type[msgspec.Struct], where: str) -> tuple[str | int, ...]:
    """msgspec's path, such as `$.terms[...].words[3]`, with the names of its mapping's entries for `[...]`."""
    keys: list[str | int] = []
    for key, index in _STEP.findall(where):
        step = key or (_culprit(data, struct, keys) if index == "..." else int(index))
        keys.append(step)
    return tuple(keys)


def _culprit(data: Any, struct: type[msgspec.Struct], keys: list[str | int]) -> str:
    """The entry of the mapping at `keys` that is wrong by itself: msgspec does not name it."""
    for entry in _at(data, keys):
        try:
            msgspec.convert(_with_only(data, keys, entry), struct, strict=False)
        except msgspec.ValidationError:
            return str(entry)
    return "..."


def _at(data: Any, keys: list[str | int]) -> Any:
    for key in keys:
        data = data[key]
    return data


def _with_only(data: Any, keys: list[str | int], entry: str) -> Any:
    if not keys:
        return {entry: data[entry]}
    return {**data, keys[0]: _with_only(data[keys[0]], keys[1:], entry)}


def _descend(node: Any, keys: tuple[str | int, ...]) -> int:
    line = node.start_mark.line + 1 if node is not None else 0
    for key in keys:
        found = None
        if isinstance(node, yaml.MappingNode):
            found = next(((k, v) for k, v in node.value if k.value == str(key)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            found = (node.value[key], node.value[key])
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line
