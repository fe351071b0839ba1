"""What this installation could do and does not yet, and how to."""

from kitsu.config import read


def hints() -> list[str]:
    """One line for each thing that is not configured."""
    found = []
    if _setting("policy", "engine", "scripted") == "scripted":
        found.append("a language model: her own written lines answer. KITSU__POLICY__ENGINE=openai in .env")
    if not _setting("playout", "device", ""):
        found.append("a sound device: sound comes from the pages. KITSU__PLAYOUT__DEVICE=default in .env")
    return found


def _setting(section: str, key: str, default: str) -> str:
    return str(read().values.get(section, {}).get(key, default))
