"""Which voices could speak here. Looks only: nothing is imported or loaded."""

import importlib.util
import sys
from pathlib import Path

from kitsu import coqui
from kitsu.config import home


def installed(engine: str, voice: str = "") -> str:
    """Why `engine` cannot speak on this machine and what helps; empty when it can. `voice`: the one that was named."""
    match engine:
        case "espeak":
            return "" if _has("espeakng_loader") else "espeakng-loader is missing: pip install kitsu[espeak]"
        case "piper":
            if not _has("piper"):
                return "piper-tts is missing: pip install kitsu[piper]"
            return "" if piper_voices() else "no voice yet: kitsu download voice en_US-ljspeech-medium"
        case "coqui":
            if not _has_coqui():
                return "not installed: kitsu install coqui"
            if coqui.voices(home()) or voice.partition(":")[0] in coqui.xtts_voices(home()):
                return ""
            models = home().coqui / "models"
            return f"no voice yet: kitsu download list coqui, or a folder with model.pth and config.json in {models}"
        case _:
            return ""


def piper_voices() -> list[str]:
    """Names of the Piper voices that are complete, in order."""
    models = home().piper_voices.glob("*.onnx")
    return sorted(path.stem for path in models if path.with_name(path.name + ".json").is_file())


def coqui_python() -> Path:
    """The Python of coqui's environment."""
    return home().coqui / "venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def voices(*, cpml: bool = False) -> tuple[str, ...]:
    """Everything that can be chosen here: `ENGINE`, or `ENGINE/VOICE` where several voices are installed; XTTS models
    only when their licence was accepted (`cpml`)."""
    found = [f"piper/{name}" for name in piper_voices()] if not installed("piper") else []
    names = [*coqui.voices(home()), *(coqui.xtts_voices(home()) if cpml else [])]
    own = [f"coqui/{name}" for name in names] if _has_coqui() else []
    return (*own, *found, *([] if installed("espeak") else ["espeak"]))


def _has_coqui() -> bool:
    return coqui_python().exists() and (home().coqui / "installed").is_file()


def _has(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
