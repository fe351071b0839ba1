"""A sound file that is heard as if it were a microphone, at the pace of a clock."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kitsu.errors import EngineError
from kitsu.protocol import EARS_RATE_HZ
from kitsu_asr import sound_files
from kitsu_asr.pcm import Samples
from kitsu_asr.vad import FRAME

TAIL_S = 3.0  # silence after its end, so that its last utterance ends too


async def play(path: Path, hear: Callable[[Samples, float], None]) -> None:
    """Until its end.

    Raises:
        EngineError: `bad_sound_file`, `file_too_long`, `engine_missing`.
    """
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError as error:
        raise EngineError("bad_sound_file", f"{path} cannot be read ({error.strerror}).") from None
    sound = await asyncio.to_thread(sound_files.read, data)
    sound = np.concatenate((sound, np.zeros(int(TAIL_S * EARS_RATE_HZ), np.float32)))
    began = time.perf_counter()
    for at in range(0, len(sound), FRAME):
        due = began + (at + FRAME) / EARS_RATE_HZ
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        hear(sound[at : at + FRAME], time.perf_counter())
