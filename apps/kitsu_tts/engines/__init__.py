"""The table of voices. An engine costs one file and one row."""

import importlib

from kitsu_tts.config import TtsSettings
from kitsu_tts.voice import Voice

ENGINES: dict[str, str] = {
    "espeak": "kitsu_tts.engines.espeak:EspeakVoice",
    "coqui": "kitsu_tts.engines.coqui:CoquiVoice",
    "piper": "kitsu_tts.engines.piper:PiperVoice",
    "openai": "kitsu_tts.engines.openai:OpenAiVoice",
}


def make(settings: TtsSettings) -> Voice:
    """The engine that the settings choose. Only its own file is imported."""
    module, _, attribute = ENGINES[settings.engine].partition(":")
    engine = getattr(importlib.import_module(module), attribute)(settings)
    assert isinstance(engine, Voice)
    return engine
