"""Engines that a round trip can be made with. None of them needs a download or a key."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

COMMON = {"asr.enabled": "true", "policy.engine": "scripted", "tts.cache_mb": "0"}


@dataclass(frozen=True, slots=True)
class EngineSet:
    """A recogniser, a model and a voice."""

    name: str
    settings: Mapping[str, str]  # "asr.engine" -> "pocketsphinx"
    furnish: Callable[[Path], None] = lambda home: None  # puts files into the show's home before it starts


def tiny_models(home: Path) -> None:
    """A Whisper that always hears the same, and a Piper voice that hums: a few kilobytes, loaded by the real engines.

    Raises:
        BenchError: `no_tiny_models`.
    """
    sys.path.append(str(Path(__file__).resolve().parents[2]))  # the tiny models are the tests'
    try:
        from tests.fakes import piper_model, whisper_model
    except ImportError as error:
        text = f'The tiny models are made with the tests\' packages: {error}. What helps: pip install "kitsu[dev]"'
        raise BenchError("no_tiny_models", text) from None
    whisper_model.make(home / "models" / "whisper")
    piper_model.make(home / "models" / "piper")


EMBEDDED = EngineSet("embedded", {**COMMON, "asr.engine": "pocketsphinx", "tts.engine": "espeak"})
TINY = EngineSet(
    "tiny", {**COMMON, "asr.engine": "faster_whisper", "asr.model": "canned", "tts.engine": "piper"}, tiny_models
)
ENGINE_SETS = {engines.name: engines for engines in (EMBEDDED, TINY)}
