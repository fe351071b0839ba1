"""Which voices could speak here. Looks only: nothing is imported or loaded."""

import importlib.util

from kitsu.config import home


def installed(engine: str) -> str:
    """Why `engine` cannot speak on this machine and what helps; empty when it can."""
    match engine:
        case "espeak":
            return "" if _has("espeakng_loader") else "espeakng-loader is missing: pip install kitsu[espeak]"
        case "piper":
            if not _has("piper"):
                return "piper-tts is missing: pip install kitsu[piper]"
            return "" if piper_voices() else "no voice yet: kitsu download voice en_US-amy-medium"
        case "coqui":
            return "" if (home().coqui / "installed").is_file() else "not installed: kitsu install coqui"
        case _:
            return ""


def piper_voices() -> list[str]:
    """Names of the Piper voices that are complete, in order."""
    models = home().piper_voices.glob("*.onnx")
    return sorted(path.stem for path in models if path.with_name(path.name + ".json").is_file())


def voices() -> tuple[str, ...]:
    """Everything that can be chosen here: `ENGINE`, or `ENGINE/VOICE` where several voices are installed."""
    found = [f"piper/{name}" for name in piper_voices()] if not installed("piper") else []
    return (*(["coqui"] if not installed("coqui") else []), *found, *([] if installed("espeak") else ["espeak"]))


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
