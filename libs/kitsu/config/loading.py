"""configs/kitsu.yaml < .env < environment, checked against the sections' structs."""

import importlib
import os
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kitsu.config.fields import allowed, is_list, is_secret
from kitsu.config.files import env_settings, yaml_settings
from kitsu.config.sections import Section
from kitsu.errors import ConfigError
from kitsu.home import Home, home
from kitsu.services import SECTIONS, Service

SectionT = TypeVar("SectionT", bound=Section)
PREFIX = "KITSU__"

_KEY = re.compile(r"`\$\.(\w+)")
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


class Source:
    """Raw settings of all sections, and where each came from."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}
        self.origins: dict[str, str] = {}  # "tts.engine" -> "kitsu.yaml, line 12"

    def origin(self, path: str) -> str:
        """Where the setting at `path` (or its section) came from."""
        section = path.partition(".")[0]
        return self.origins.get(path) or self.origins.get(section) or "the built-in default"


@cache
def read(where: Home | None = None) -> Source:
    """All raw settings of this installation.

    Raises:
        ConfigError: `bad_yaml`, `bad_env`, `bad_setting`.
    """
    where = where or home()
    source = Source()
    _read_yaml(where.settings_file, source)
    _read_env_file(where.env_file, source)
    _read_variables(((name, value, f"environment variable {name}") for name, value in os.environ.items()), source)
    return source


def load(name: str, struct: type[SectionT], source: Source | None = None) -> SectionT:
    """One section, checked.

    Raises:
        ConfigError: `bad_setting` with file and line (or variable), what was found and what is allowed.
    """
    source = source or read()
    raw = source.values.get(name, {}) | _split_lists(struct, source.values.get(name, {}))
    try:
        return msgspec.convert(raw, struct, strict=False)
    except msgspec.ValidationError as error:
        raise _complaint(name, struct, source, str(error)) from None


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


def is_wanted(service: Service) -> bool:
    """Whether the settings ask for it; what nobody asked for costs no process. Bad settings are its own to report."""
    section, _, name = service.wanted.partition(".")
    try:
        return not section or bool(getattr(load(section, section_type(section)), name))
    except ConfigError:
        return True


def _split_lists(struct: type[Section], raw: dict[str, Any]) -> dict[str, list[str]]:
    """Lists that were written as `a, b`: the environment and .env know only text."""
    lists = [field.name for field in msgspec.structs.fields(struct) if is_list(field.type)]
    written = {name: raw[name] for name in lists if isinstance(raw.get(name), str)}
    return {name: [part.strip() for part in text.split(",") if part.strip()] for name, text in written.items()}


def _complaint(section: str, struct: type[Section], source: Source, error: str) -> ConfigError:
    types = {field.name: field.type for field in msgspec.structs.fields(struct)}
    unknown = _UNKNOWN.search(error)
    if unknown:
        path = f"{section}.{unknown.group(1)}"
        what = f"there is no setting {path!r}. Allowed: {', '.join(sorted(types))}"
        return ConfigError("bad_setting", f"{source.origin(path)}: {what}.")
    found = _KEY.search(error)
    if not found:
        return ConfigError("bad_setting", f"{source.origin(section)}: {section}: {error}.")
    key = found.group(1)
    shown = "(hidden)" if is_secret(key) else repr(source.values[section].get(key))[:80]
    path = f"{section}.{key}"
    return ConfigError("bad_setting", f"{source.origin(path)}: {path} = {shown}. Allowed: {allowed(types[key])}.")


def _read_yaml(path: Path, source: Source) -> None:
    for section, key, value, line in yaml_settings(path):
        values = source.values.setdefault(section, {})
        source.origins[f"{section}.{key}" if key else section] = f"{path.name}, line {line}"
        if key:
            values[key] = value


def _read_env_file(path: Path, source: Source) -> None:
    if path.is_file():
        named = ((name, value, f"{path.name}, line {line} ({name})") for name, value, line in env_settings(path))
        _read_variables(named, source)


def _read_variables(variables: Iterable[tuple[str, str, str]], source: Source) -> None:
    for name, value, origin in variables:
        if not name.upper().startswith(PREFIX):
            continue
        section, _, key = name[len(PREFIX) :].lower().partition("__")
        if not section or not key or "__" in key:
            raise ConfigError("bad_setting", f"{origin}: wants the form KITSU__SECTION__KEY.")
        source.values.setdefault(section, {})[key] = value
        source.origins[f"{section}.{key}"] = origin
        source.origins.setdefault(section, origin)
