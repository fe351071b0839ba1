"""Whisper by faster-whisper (CTranslate2): many languages, good words, 0.2 to 1 of real time on a processor.

Models are folders as their publisher makes them (`model.bin`, `config.json`, `tokenizer.json`, …), got by
`kitsu download ears NAME`; nothing is downloaded by itself.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from kitsu.errors import EngineError
from kitsu_asr.engine import Choice, Heard, Session, Word
from kitsu_asr.pcm import Samples, from_s16

DEFAULTS = {"cuda": "large-v3", "cpu": "base.en"}
"""On two cores 5 s of speech take small.en 8 s, base.en 2 s and tiny.en 1 s (bench_ears, on models of these sizes)."""
MANY_LANGUAGES = {"small.en": "small", "base.en": "base", "tiny.en": "tiny", "medium.en": "medium"}
TYPES = {"cuda": ("float16", "int8_float16", "int8"), "cpu": ("int8", "float32")}


def pick(choice: Choice, gpus: int, there: Sequence[str] = ()) -> tuple[str, str]:
    """Model and processor for this machine. When none was chosen and the usual one is not `there`, one that is."""
    processor = choice.processor if choice.processor != "auto" else "cuda" if gpus else "cpu"
    if choice.model:
        return choice.model, processor
    usual = DEFAULTS[processor]
    if choice.language != "en":
        usual = MANY_LANGUAGES.get(usual, usual)
        there = [name for name in there if not name.endswith(".en")]
    return (there[0] if there and usual not in there else usual), processor


class FasterWhisperEngine:
    """`choice.model`: a name below `choice.folder`, or a folder."""

    name = "faster_whisper"
    partials = True

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._model: Any = None

    def load(self) -> str:
        there = sorted(path.parent.name for path in Path(self._choice.folder).glob("*/model.bin"))
        model, processor = pick(self._choice, _gpus(), there)
        folder = Path(model) if Path(model).is_absolute() else Path(self._choice.folder) / model
        if not (folder / "model.bin").is_file():
            text = f"There is no Whisper model {model} in {folder}. What helps: kitsu download ears {model}."
            raise EngineError("model_missing", text)
        allowed = ctranslate2.get_supported_compute_types(processor)
        compute = next((kind for kind in TYPES[processor] if kind in allowed), "default")
        try:
            self._model = WhisperModel(str(folder), device=processor, compute_type=compute, local_files_only=True)
            self._hear(np.zeros(8_000, np.float32), "en", "")  # the first use of a model is slow
        except (RuntimeError, ValueError, OSError, KeyError) as error:
            raise EngineError("bad_model", f"The Whisper model in {folder} cannot be used: {error}"[:300]) from None
        return f"faster-whisper, {model} on {processor} ({compute})"

    def open(self, language: str, hints: Sequence[str]) -> Session:
        return _Utterance(self, language, ", ".join(hints)[:400])

    def hear(self, samples: Samples, language: str, hints: str) -> Heard:
        """Recognise a whole utterance."""
        assert self._model is not None, "load() comes first"
        return self._hear(samples, language, hints)

    def _hear(self, samples: Samples, language: str, hints: str) -> Heard:
        multilingual = self._model.model.is_multilingual
        segments, about = self._model.transcribe(
            samples,
            language=(language or None) if multilingual else "en",
            beam_size=5 if len(samples) < 16_000 * 15 else 1,
            temperature=0.0,  # trying hotter ones takes a multiple of the time and invents more
            word_timestamps=True,
            condition_on_previous_text=False,
            hotwords=hints or None,
            no_speech_threshold=None,  # `guards.py` decides
        )
        return _joined(list(segments), about)


class _Utterance:
    """Keeps the sound; each result is of all of it."""

    def __init__(self, engine: FasterWhisperEngine, language: str, hints: str) -> None:
        self._engine = engine
        self._language = language
        self._hints = hints
        self._sound = bytearray()
        self._of = -1  # bytes that `_last` is the result of
        self._last = Heard()

    def feed(self, pcm: bytes) -> None:
        self._sound += pcm

    def partial(self) -> Heard:
        if self._of != len(self._sound):
            self._last = self._engine.hear(from_s16(bytes(self._sound)), self._language, self._hints)
            self._of = len(self._sound)
            self._language = self._language or self._last.language  # found out once an utterance
        return self._last

    def finish(self) -> Heard:
        return self.partial()

    def close(self) -> None:
        self._sound.clear()


def _joined(segments: Sequence[Any], about: Any) -> Heard:
    """Segments as one result."""
    words = tuple(
        Word(word.word.strip(), float(word.start), float(word.end), float(word.probability))
        for segment in segments
        for word in segment.words or ()
    )
    return Heard(
        text=" ".join(" ".join(segment.text for segment in segments).split()),
        words=words,
        language=about.language or "",
        confidence=math.exp(_mean(segments, "avg_logprob")) if segments else 0.0,
        no_speech=_mean(segments, "no_speech_prob") if segments else 1.0,
    )


def _mean(segments: Sequence[Any], name: str) -> float:
    """Weighted by length."""
    lengths = [max(0.01, float(segment.end - segment.start)) for segment in segments]
    values = [float(getattr(segment, name)) for segment in segments]
    return sum(value * length for value, length in zip(values, lengths, strict=True)) / sum(lengths)


def _gpus() -> int:
    try:
        return int(ctranslate2.get_cuda_device_count())
    except (RuntimeError, ValueError):
        return 0
