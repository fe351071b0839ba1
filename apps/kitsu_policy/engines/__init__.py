"""The table of brains. An engine costs one file and one row."""

import importlib

from kitsu.config import PolicySettings
from kitsu.errors import ConfigError
from kitsu_policy.brain import Brain

ENGINES: dict[str, str] = {
    "auto": "kitsu_policy.engines.auto:AutoBrain",
    "scripted": "kitsu_policy.engines.scripted:ScriptedBrain",
    "ollama": "kitsu_policy.engines.ollama:OllamaBrain",
    "openai": "kitsu_policy.engines.openai:OpenAiBrain",
}


def make(settings: PolicySettings) -> Brain:
    """The engine that the settings choose.

    Raises:
        ConfigError: `bad_setting`, `engine_not_installed`.
    """
    return engine_class(settings.engine)(settings)


def engine_class(name: str) -> type[Brain]:
    """An engine's class. Only its own file is imported.

    Raises:
        ConfigError: `engine_not_installed`: the packages of its extra are missing.
    """
    module, _, attribute = ENGINES[name].partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("kitsu"):
            raise
        text = f"policy.engine {name!r} needs the package {error.name!r}: pip install kitsu[{name}]"
        raise ConfigError("engine_not_installed", text) from None
    assert isinstance(found, type)
    assert issubclass(found, Brain)
    return found
