"""Recognisers by name. An engine is one file and one row here; it is imported only when chosen."""

import importlib
import importlib.util

from kitsu.errors import EngineError
from kitsu_asr.engine import Choice, Engine

ENGINES = {
    "pocketsphinx": "kitsu_asr.engines.pocketsphinx:PocketSphinxEngine",
    "faster_whisper": "kitsu_asr.engines.faster_whisper:FasterWhisperEngine",
    "openai": "kitsu_asr.engines.openai:OpenAiEngine",
}
NEEDS = {"pocketsphinx": "pocketsphinx", "faster_whisper": "faster_whisper", "openai": "httpx"}
EXTRAS = {"pocketsphinx": "ears", "faster_whisper": "whisper"}


def make(name: str, choice: Choice) -> Engine:
    """An engine, not yet loaded.

    Raises:
        EngineError: `engine_missing`.
    """
    if importlib.util.find_spec(NEEDS[name]) is None:
        text = f"The recogniser {name} is not installed. What helps: pip install kitsu[{EXTRAS[name]}]."
        raise EngineError("engine_missing", text)
    module, _, attribute = ENGINES[name].partition(":")
    engine: Engine = getattr(importlib.import_module(module), attribute)(choice)
    return engine
