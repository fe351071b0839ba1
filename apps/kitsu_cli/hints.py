"""What this installation could do and does not yet, and how to."""

from typing import Any

from kitsu.config import home, load, read, section_type
from kitsu_cli.downloads.installed import voices


def hints() -> list[str]:
    """One line for each thing that is not configured."""
    found = []
    if setting("policy", "engine", "auto") in ("auto", "scripted"):
        found.append("a language model: without Ollama her own written lines answer. kitsu quickstart")
    if setting("tts", "engine", "auto") in ("auto", "espeak") and not voices(home().piper_voices):
        found.append("a natural voice: the built-in one speaks. kitsu download voice en_US-ljspeech-medium")
    if not setting("playout", "device", ""):
        found.append("a sound device: sound comes from the pages. KITSU__PLAYOUT__DEVICE=default in .env")
    if not setting("obs", "password", "") and setting("obs", "connect", "auto") == "auto":
        found.append("OBS: no scenes from here, no safe scene on panic. KITSU__OBS__PASSWORD in .env; kitsu doctor")
    if not uses_vtube_studio():
        found.append("VTube Studio: no model moves there. KITSU__VTS__ENABLED=true in .env; kitsu doctor")
    if not home().twitch_file.is_file() and not setting("twitch", "channel", ""):
        found.append("Twitch chat: kitsu login twitch, or only reading: KITSU__TWITCH__CHANNEL=NAME in .env")
    return found


def uses_vtube_studio() -> bool:
    """Whether Kitsu is told to move a model there."""
    settings: Any = load("vts", section_type("vts"))
    return bool(settings.enabled)


def setting(section: str, key: str, default: str = "") -> str:
    """What the settings say, as text."""
    return str(read().values.get(section, {}).get(key, default))
