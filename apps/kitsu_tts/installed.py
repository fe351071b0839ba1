"""Which voices could speak here. Looks only: nothing is imported or loaded."""

import importlib.util
import sys
from pathlib import Path

from kitsu.config import home


def installed(engine: str) -> str:
    """Why `engine` cannot speak on this machine and what helps; empty when it can."""
    match engine:
        case "espeak":
            return "" if _has("espeakng_loader") else "espeakng-loader is missing: pip install kitsu[espeak]"
        case "piper":
            if not _has("piper"):
                return "piper-tts is missing: pip install kitsu[piper]"
            return "" if piper_voices() else "no voice yet: kitsu download voice en_US-ljspeech-medium"
        case "coqui":
            if not coqui_python().exists() or not (home().coqui / "installed").is_file():
                return "not installed: kitsu install coqui"
            return (
                "" if coqui_voices() else f"no voice yet: a folder with model.pth and config.json in {_coqui_models()}"
            )
        case _:
            return ""


def piper_voices() -> list[str]:
    """Names of the Piper voices that are complete, in order."""
    models = home().piper_voices.glob("*.onnx")
    return sorted(path.stem for path in models if path.with_name(path.name + ".json").is_file())


def coqui_python() -> Path:
    """The Python of coqui's environment."""
    return home().coqui / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def coqui_voices() -> list[str]:
    """Names of the VITS voices that are complete, in order."""
    return sorted(
        path.parent.name for path in _coqui_models().glob("*/model.pth") if (path.parent / "config.json").is_file()
    )


def _coqui_models() -> Path:
    return home().coqui / "models"


def voices() -> tuple[str, ...]:
    """Everything that can be chosen here: `ENGINE`, or `ENGINE/VOICE` where several voices are installed."""
    found = [f"piper/{name}" for name in piper_voices()] if not installed("piper") else []
    vits = [f"coqui/{name}" for name in coqui_voices()] if not installed("coqui") else []
    return (*vits, *found, *([] if installed("espeak") else ["espeak"]))


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
