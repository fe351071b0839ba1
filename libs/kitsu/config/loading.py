"""configs/kitsu.yaml < .env < environment < command line, checked against the sections' structs."""

import importlib
import os
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec
import yaml
from dotenv import dotenv_values

from kitsu.config.home import Home, home
from kitsu.config.sections import Section
from kitsu.errors import ConfigError
from kitsu.services import SECTIONS

SectionT = TypeVar("SectionT", bound=Section)
PREFIX = "KITSU__"

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PATH = re.compile(r"`\$\.?([^`]*)`")


class Source:
    """Raw settings of all sections, and where each came from."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self.origins: dict[str, str] = {}  # "tts.engine" -> "configs/kitsu.yaml, line 12"

    def origin(self, path: str) -> str:
        """Where the setting at `path` (or the nearest one above it) came from."""
        while path:
            if path in self.origins:
                return self.origins[path]
            path = path.rpartition(".")[0]
        return "the built-in default"


@cache
def read(where: Home | None = None) -> Source:
    """All raw settings of this installation.

    Raises:
        ConfigError: `bad_yaml`, `bad_setting`.
    """
    where = where or home()
    source = Source()
    _read_yaml(where, source)
    environment = {k: v for k, v in dotenv_values(where.env_file).items() if v is not None}
    _read_variables(environment, str(where.env_file.name), source)
    _read_variables(os.environ, "environment variable", source)
    return source


def load(name: str, struct: type[SectionT], source: Source | None = None) -> SectionT:
    """One section, checked.

    Raises:
        ConfigError: `bad_setting` with file and line (or variable), what was found and what is allowed.
    """
    source = source or read()
    raw = source.values.get(name, {})
    try:
        return msgspec.convert(raw, struct, strict=False)
    except msgspec.ValidationError as error:
        raise _complaint(name, raw, source, str(error)) from None


def load_all(source: Source | None = None) -> dict[str, Section]:
    """Every section, checked: what `kitsu start` and `kitsu doctor` do first.

    Raises:
        ConfigError: `bad_setting`.
    """
    source = source or read()
    for name in source.values:
        if name not in SECTIONS:
            raise ConfigError(
                "bad_setting",
                f"{source.origin(name)}: there is no section {name!r}. Allowed: {', '.join(sorted(SECTIONS))}.",
            )
    return {name: load(name, section_type(name), source) for name in SECTIONS}


def section_type(name: str) -> type[Section]:
    """The struct of a section, imported from the table."""
    module, _, attribute = SECTIONS[name].partition(":")
    struct = getattr(importlib.import_module(module), attribute)
    assert isinstance(struct, type)
    assert issubclass(struct, Section)
    return struct


def _complaint(section: str, raw: Mapping[str, Any], source: Source, error: str) -> ConfigError:
    found = _PATH.search(error)
    key = found.group(1) if found else ""
    unknown = re.search(r"unknown field `([^`]+)`", error)
    if unknown:
        key = ".".join(filter(None, (key, unknown.group(1))))
    path = ".".join(filter(None, (section, key)))
    value: Any = raw
    for part in key.split(".") if key else ():
        value = value.get(part) if isinstance(value, Mapping) else None
    allowed = _PATH.sub("", error).removesuffix(" - at ").strip()
    shown = "(hidden)" if any(word in key for word in ("key", "token", "password", "secret")) else repr(value)
    return ConfigError("bad_setting", f"{source.origin(path)}: {path} = {shown}. {allowed}.")


def _read_yaml(where: Home, source: Source) -> None:
    path = where.settings_file
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("bad_yaml", f"{path}: cannot be read ({error}).") from None
    try:
        root = yaml.compose(text, Loader=_Loader)
        data = yaml.load(text, Loader=_Loader)  # a SafeLoader, the C one where there is one
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError("bad_yaml", f"{path}: not valid YAML. {error}") from None
    if data is None:
        return
    if not isinstance(data, dict) or not all(isinstance(v, dict | None) for v in data.values()):
        raise ConfigError("bad_yaml", f"{path}: wants sections like `tts:` with indented keys.")
    source.values.update({str(k): dict(v or {}) for k, v in data.items()})
    assert isinstance(root, yaml.MappingNode)
    _lines(root, "", path.name, source.origins)


def _lines(node: yaml.Node, prefix: str, file: str, origins: dict[str, str]) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        path = f"{prefix}{key.value}"
        origins[path] = f"{file}, line {key.start_mark.line + 1}"
        _lines(value, f"{path}.", file, origins)


def _read_variables(variables: Mapping[str, str], kind: str, source: Source) -> None:
    for name, value in variables.items():
        if not name.upper().startswith(PREFIX):
            continue
        section, _, key = name[len(PREFIX) :].lower().partition("__")
        if not key or "__" in key:
            raise ConfigError("bad_setting", f"{kind} {name}: wants the form KITSU__SECTION__KEY.")
        source.values.setdefault(section, {})[key] = value
        source.origins[f"{section}.{key}"] = f"{kind} {name}"
        source.origins.setdefault(section, f"{kind} {name}")
