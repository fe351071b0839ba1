"""A whole file, recognised in pieces that end where it is quiet."""

from collections.abc import Iterator, Sequence

import numpy as np

from kitsu.protocol import EARS_RATE_HZ
from kitsu_asr import sound_files
from kitsu_asr.engine import Engine, Heard, Word
from kitsu_asr.guards import phantom
from kitsu_asr.pcm import Samples, dbfs, to_s16

LONGEST_S, SHORTEST_S = 25.0, 15.0
STEP = EARS_RATE_HZ // 20
QUIET_DBFS = -55.0
FEED_BYTES = EARS_RATE_HZ


def transcribe(engine: Engine, data: bytes, language: str, hints: Sequence[str]) -> tuple[Heard, float]:
    """What is said in the file, and its length in s.

    Raises:
        EngineError: `bad_sound_file`, `file_too_long`, or the engine's own.
    """
    sound = sound_files.read(data)
    parts: list[Heard] = []
    words: list[Word] = []
    for start, piece in _pieces(sound):
        heard = _hear(engine, piece, language, hints)
        if phantom(heard, voiced_ms=len(piece) / EARS_RATE_HZ * 1000):
            continue
        language = language or heard.language
        parts.append(heard)
        words += [Word(w.word, w.start_s + start, w.end_s + start, w.confidence) for w in heard.words]
    known = [part.confidence for part in parts if part.confidence > 0]
    text = " ".join(part.text for part in parts)
    confidence = sum(known) / len(known) if known else 0.0
    return Heard(text, tuple(words), parts[0].language if parts else "", confidence), len(sound) / EARS_RATE_HZ


def _hear(engine: Engine, piece: Samples, language: str, hints: Sequence[str]) -> Heard:
    session = engine.open(language, hints)
    try:
        pcm = to_s16(piece)
        for at in range(0, len(pcm), FEED_BYTES):
            session.feed(pcm[at : at + FEED_BYTES])
        return session.finish()
    finally:
        session.close()


def _pieces(sound: Samples) -> Iterator[tuple[float, Samples]]:
    """Start in s, and samples; cut at the quietest place between 15 and 25 s. Silent ones are left out."""
    at = 0
    while at < len(sound):
        end = _cut(sound, at)
        piece = sound[at:end]
        if any(dbfs(piece[n : n + STEP]) > QUIET_DBFS for n in range(0, len(piece), STEP)):
            yield at / EARS_RATE_HZ, piece
        at = end


def _cut(sound: Samples, at: int) -> int:
    longest = at + int(LONGEST_S * EARS_RATE_HZ)
    if longest >= len(sound):
        return len(sound)
    shortest = at + int(SHORTEST_S * EARS_RATE_HZ)
    window = sound[shortest:longest]
    power = (window[: len(window) // STEP * STEP].reshape(-1, STEP) ** 2).mean(axis=1)
    return shortest + int(np.argmin(power)) * STEP + STEP // 2
