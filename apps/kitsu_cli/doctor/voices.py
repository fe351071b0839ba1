"""Which voices could speak."""

import importlib.util
from collections.abc import Sequence
from dataclasses import replace

from kitsu import coqui as models
from kitsu.config import home, read
from kitsu_cli.doctor.finding import Finding
from kitsu_cli.downloads.installed import half, incomplete, voices

ADVICE = "kitsu download voice en_US-ljspeech-medium"


def all_voices() -> Sequence[Finding]:
    """espeak, piper, coqui, and XTTS where it lies. One that is missing is broken only when the settings ask for it, or
    none is left."""
    engine = str(read().values.get("tts", {}).get("engine", "auto"))
    found = {"espeak": espeak(), "piper": piper(), "coqui": coqui()}
    lone = engine == "auto" and all(row.state != "ok" for row in found.values())
    rows = [
        replace(row, state="broken") if row.state == "off" and (name == engine or (lone and name == "espeak")) else row
        for name, row in found.items()
    ]
    return [*rows, *xtts()]


def espeak() -> Finding:
    """Small, instant, robotic."""
    if importlib.util.find_spec("espeakng_loader") is not None:
        return Finding("voice espeak", "ok", "built in")
    return Finding("voice espeak", "off", "its package is not installed", "pip install kitsu[espeak]")


def piper() -> Finding:
    """Natural voices on the CPU, downloaded one by one."""
    folder = home().piper_voices
    broken, ready = incomplete(folder), voices(folder)
    if broken:
        do = f"kitsu download voice {broken[0]}"
        return Finding("voice piper", "broken", f"without its .onnx.json: {', '.join(broken)}", do)
    if not ready:
        begun = half(folder)
        found = f"half downloaded: {', '.join(begun)}" if begun else "no voice yet"
        return Finding("voice piper", "off", found, f"kitsu download voice {begun[0]}" if begun else ADVICE)
    if importlib.util.find_spec("piper") is None:
        found = f"{len(ready)} voices, but its package is not installed"
        return Finding("voice piper", "off", found, "pip install kitsu[piper]")
    return Finding("voice piper", "ok", ", ".join(ready))


def coqui() -> Finding:
    """A Python environment of its own."""
    where = home().coqui
    if (where / "installed").is_file():
        ready = models.voices(home()) + (models.xtts_voices(home()) if _accepted() else [])
        found = ", ".join(ready) or f"installed in {where}, but no voice yet"
        return Finding("voice coqui", "ok" if ready else "off", found, "" if ready else "kitsu download list coqui")
    if where.exists():
        return Finding("voice coqui", "off", f"{where} is not complete", "kitsu install coqui")
    return Finding("voice coqui", "off", "not installed", "optional: kitsu install coqui")


def xtts() -> Sequence[Finding]:
    """XTTS models, where there are any: their licence is not like the others'."""
    names = models.xtts_voices(home())
    if not names:
        return []
    if _accepted():
        return [Finding("voice xtts", "ok", f"{', '.join(names)}. {models.CPML}")]
    named = str(read().values.get("tts", {}).get("voice", "")).partition(":")[0] in names
    found = f"{', '.join(names)}: not loaded. {models.CPML}"
    do = "only if that suits your channel: kitsu install coqui --accept-cpml"
    return [Finding("voice xtts", "broken" if named else "off", found, do)]


def _accepted() -> bool:
    return str(read().values.get("tts", {}).get("accept_cpml", "")).lower() in ("true", "1")
