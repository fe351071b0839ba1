"""Which recognisers are tried, in order, and what each is made with."""

import importlib.util
from pathlib import Path

from kitsu.config import home
from kitsu_asr.config import AsrSettings
from kitsu_asr.engine import Choice
from kitsu_asr.engines import NEEDS


def order(settings: AsrSettings) -> tuple[str, ...]:
    """The chosen one first. Another one that needs no network and no download follows as the last resort."""
    there = [name for name in NEEDS if importlib.util.find_spec(NEEDS[name]) is not None]
    if settings.engine != "auto":
        first = [settings.engine]
    elif "faster_whisper" in there and downloaded():
        first = ["faster_whisper"]
    else:
        first = []
    last = ["pocketsphinx"] if "pocketsphinx" in there and "pocketsphinx" not in first else []
    return (*first, *last) or ("pocketsphinx",)


def downloaded() -> list[str]:
    """Whisper models that are whole."""
    return sorted(path.parent.name for path in models().glob("*/model.bin"))


def models() -> Path:
    """Where they lie."""
    return home().whisper_models


def choice(settings: AsrSettings, name: str) -> Choice:
    """What the engine `name` is made with. A model that the setting names for another engine is none for this one."""
    return Choice(
        model=settings.model if settings.engine in (name, "auto") and name != "pocketsphinx" else "",
        folder=str(models()),
        language=settings.language,
        processor=settings.processor,
        base_url=settings.base_url,
        api_key=settings.api_key,
        read_timeout_s=settings.read_timeout_s,
    )
