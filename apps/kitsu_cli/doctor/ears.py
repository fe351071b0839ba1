"""What could hear."""

import importlib.util
from collections.abc import Sequence
from typing import Any

from kitsu import soundcard
from kitsu.config import home, load, section_type
from kitsu_cli.doctor.finding import Finding

PACKAGES = {"pocketsphinx": "pocketsphinx", "webrtcvad": "webrtcvad-wheels", "soundfile": "soundfile"}
HOW_TO = "KITSU__ASR__ENABLED=true in .env, KITSU__ASR__DEVICE=default for this machine's microphone, kitsu restart asr"


def ears() -> Sequence[Finding]:
    """Packages, models, and the microphone that the settings name."""
    settings: Any = load("asr", section_type("asr"))
    lacking = [name for module, name in PACKAGES.items() if importlib.util.find_spec(module) is None]
    if lacking:
        return [
            Finding(
                "ears",
                "broken" if settings.enabled else "off",
                f"not installed: {', '.join(lacking)}",
                "pip install kitsu[ears]",
            )
        ]
    models = sorted(path.parent.name for path in home().whisper_models.glob("*/model.bin"))
    whisper = importlib.util.find_spec("faster_whisper") is not None
    found = ", ".join(["pocketsphinx (English)", *(f"whisper {name}" for name in models if whisper)])
    if settings.engine == "faster_whisper" and not (whisper and models):
        do = "kitsu download ears base.en" if whisper else "pip install kitsu[whisper]"
        return [Finding("ears", "broken", f"{found}; asr.engine wants Whisper", do)]
    if not settings.enabled:
        return [Finding("ears", "off", f"{found}; switched off", HOW_TO)]
    return [_microphone(found, settings.device)]


def _microphone(found: str, wanted: str) -> Finding:
    if not wanted:
        return Finding("ears", "ok", f"{found}; browsers' microphones only")
    try:
        there = soundcard.ask_devices("in")
    except soundcard.TroubleError as trouble:
        return Finding("ears", "broken", f"asr.device = {wanted}, but {trouble.found}", trouble.do)
    if not there or (wanted != soundcard.DEFAULT and not any(device.answers_to(wanted) for device in there)):
        return Finding("ears", "broken", f"there is no microphone {wanted!r} (asr.device)", "kitsu devices lists them")
    return Finding("ears", "ok", f"{found}; {wanted}")
