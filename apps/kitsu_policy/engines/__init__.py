"""The table of brains. An engine costs one file and one row."""

import importlib

from kitsu.config import PolicySettings
from kitsu_policy.brain import Brain

ENGINES: dict[str, str] = {
    "scripted": "kitsu_policy.engines.scripted:ScriptedBrain",
    "openai": "kitsu_policy.engines.openai:OpenAiBrain",
}


def make(settings: PolicySettings) -> Brain:
    """The engine that the settings choose. Only its own file is imported."""
    module, _, attribute = ENGINES[settings.engine].partition(":")
    engine = getattr(importlib.import_module(module), attribute)(settings)
    assert isinstance(engine, Brain)
    return engine
