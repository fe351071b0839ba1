"""Whole sound files as 16 kHz mono. In the child process: what a stranger's file does to a decoder stays there."""

import io

import numpy as np

from kitsu.errors import EngineError
from kitsu_asr.pcm import MAX_RATE_HZ, MIN_RATE_HZ, Resampler, Samples, clean

MAX_S = 3600.0
MAX_CHANNELS = 16
BLOCK = 1 << 16


def read(data: bytes) -> Samples:
    """WAV, FLAC, Ogg (Vorbis, Opus), MP3 and what else libsndfile reads.

    Raises:
        EngineError: `bad_sound_file`, `file_too_long`, `engine_missing`.
    """
    try:
        import soundfile
    except (ImportError, OSError):
        raise EngineError("engine_missing", "Sound files cannot be read: pip install kitsu[ears].") from None
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate, channels = int(file.samplerate), int(file.channels)
            if not MIN_RATE_HZ <= rate <= MAX_RATE_HZ or not 1 <= channels <= MAX_CHANNELS:
                raise EngineError("bad_sound_file", f"A sound file with {channels} channels at {rate} Hz is refused.")
            return _resampled(file, rate)
    except (soundfile.LibsndfileError, RuntimeError, ValueError, TypeError) as error:
        raise EngineError("bad_sound_file", f"The file holds no sound that can be read ({error})."[:200]) from None


def _resampled(file: "soundfile.SoundFile", rate: int) -> Samples:  # type: ignore[name-defined]  # noqa: F821
    resampler, parts, left = Resampler(rate), [], int(MAX_S * rate)
    for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
        left -= len(block)
        if left < 0:
            raise EngineError("file_too_long", f"Sound files may last {MAX_S / 60:.0f} minutes at most.")
        parts.append(resampler.feed(clean(block.mean(axis=1))))
    parts.append(resampler.feed(np.zeros(0, np.float32), last=True))
    return np.concatenate(parts)
