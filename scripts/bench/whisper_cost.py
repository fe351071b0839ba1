"""What Whisper costs here without its weights: models of the published sizes with random ones.

The time of a product of matrices does not depend on the numbers in it, and the made models say a fixed number of
words, as many as people say in the time. So the real-time factor is that of the real models. A word error rate there is
none.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from bench.errors import BenchError
from bench.script import progress
from bench.spoken import noise
from bench.stats import p50
from kitsu_asr.engine import Choice, Engine
from kitsu_asr.engines import make
from kitsu_asr.engines.faster_whisper import DEFAULTS
from kitsu_asr.pcm import to_s16

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the made models are those of the tests

from tests.fakes import whisper_model

NOTE = "cost only, random weights, no WER"
SPEECH_S = 5.0
SAYS = "the quick brown fox jumps over a lazy dog while we all look for some red berries near old trees"
WORDS = tuple(f" {word}" for word in SAYS.split())  # 20: four a second, each of them one token
ROUNDS = 3


async def measure(*, quick: bool) -> dict[str, float | str]:
    """Real-time factor of 5 s of speech: `rtf` of the model that is the default here, `rtf_NAME` of each size."""
    sizes = [DEFAULTS["cpu"]] if quick else list(whisper_model.PUBLISHED)
    factors: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in sizes:
            factors[name] = await asyncio.to_thread(_factor, Path(folder), name)
            progress(f"faster_whisper, {name}: {factors[name]} of real time ({NOTE})")
    return {"rtf": factors[DEFAULTS["cpu"]], **{f"rtf_{name}": rtf for name, rtf in factors.items()}, "note": NOTE}


def _factor(folder: Path, name: str) -> float:
    whisper_model.make(folder, name, whisper_model.PUBLISHED[name], WORDS, SPEECH_S)
    engine = make("faster_whisper", Choice(model=name, folder=str(folder), processor="cpu"))
    engine.load()
    return round(p50([_takes_s(engine) for _ in range(ROUNDS)]) / SPEECH_S, 4)


def _takes_s(engine: Engine) -> float:
    session = engine.open("en", ())
    session.feed(to_s16(noise(SPEECH_S, -26.0)))
    began = time.perf_counter()
    heard = session.finish()
    took_s = time.perf_counter() - began
    session.close()
    if len(heard.words) != len(WORDS):
        raise BenchError("wrong_words", f"the made model said {len(heard.words)} words")
    return took_s
