"""Reads kitsu.yaml and .env with the line of every setting. What is odd in them is an error, never a guess."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from dotenv.parser import parse_stream

from kitsu.errors import ConfigError

MAX_FILE_BYTES = 1 << 20
MAX_DEPTH = 8

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = "tag:yaml.org,2002:null"


def yaml_settings(path: Path) -> Iterator[tuple[str, str, Any, int]]:
    """Section, key, value and line of everything in kitsu.yaml; key is empty (value None) for the section itself.

    Raises:
        ConfigError: `bad_yaml`.
    """
    text = _text(path, "bad_yaml")
    try:
        _refuse_bombs(path, text)
        root = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # a SafeLoader, the C one where there is one
    except yaml.MarkedYAMLError as error:  # its own text quotes the line, which may hold a secret
        raise _bad_yaml(path, _line(error.problem_mark), f"not valid YAML ({error.problem})") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ConfigError("bad_yaml", f"{path}: not valid YAML.") from None
    if data is None:
        return
    if not isinstance(root, yaml.MappingNode):
        raise _bad_yaml(path, 0, "wants sections like `tts:` with indented keys")
    yield from _settings(path, root, data)


def _refuse_bombs(path: Path, text: str) -> None:
    """A few nested aliases make gigabytes, and deep nesting makes the parser crawl."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise _bad_yaml(path, _line(event.start_mark), "aliases (`*name`) are not supported")
        if depth > MAX_DEPTH:
            raise _bad_yaml(path, _line(event.start_mark), "nested too deeply")


def _settings(path: Path, root: yaml.MappingNode, data: dict[Any, Any]) -> Iterator[tuple[str, str, Any, int]]:
    for (section, node), values in zip(_unique(path, root), data.values(), strict=True):
        line = section.start_mark.line
        yield section.value, "", None, line + 1
        if isinstance(node, yaml.MappingNode):
            for (key, _), value in zip(_unique(path, node), values.values(), strict=True):
                yield section.value, key.value, value, key.start_mark.line + 1
        elif node.tag != _NULL:
            raise _bad_yaml(path, line, f"section {section.value!r} wants indented keys below it")


def _unique(path: Path, node: yaml.MappingNode) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
    seen = set()
    for key, _value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str" or key.value in seen:
            raise _bad_yaml(path, key.start_mark.line, "every key is one word and stands there once")
        seen.add(key.value)
    return list(node.value)


def env_settings(path: Path) -> Iterator[tuple[str, str, int]]:
    """Name, value and line of everything in .env.

    Raises:
        ConfigError: `bad_env`.
    """
    for binding in parse_stream(io.StringIO(_text(path, "bad_env"))):
        line = binding.original.line
        if binding.error:
            raise ConfigError("bad_env", f"{path}, line {line}: wants NAME=value, values with spaces in quotes.")
        if binding.key is not None and binding.value is not None:
            yield binding.key, binding.value, line


def _line(mark: Any) -> int:
    """Of a mark of either parser (the C one has a type of its own); 0 when it knows none."""
    return mark.line if mark else 0


def _bad_yaml(path: Path, line: int, what: str) -> ConfigError:
    return ConfigError("bad_yaml", f"{path}, line {line + 1}: {what}.")


def _text(path: Path, code: str) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(code, f"{path}: is not UTF-8 text.") from None
    except OSError as error:
        raise ConfigError(code, f"{path}: cannot be read ({error.strerror}).") from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(code, f"{path}: is larger than {MAX_FILE_BYTES >> 10} KiB.")
    return text
