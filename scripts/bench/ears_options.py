"""Do automatic gain and noise suppression help? Words and ends with and without, as fast as the recogniser can."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bench.ears import Ears, listening, word_errors
from bench.script import progress
from bench.spoken import RATE_HZ, Samples, mixed, noise, padded, say
from bench.stats import p50
from kitsu.protocol import AsrFinal, Message
from kitsu_asr.config import AsrSettings

BEFORE_S, AFTER_S = 1.0, 2.5  # noise is heard before somebody speaks
SPOKEN_DBFS = -26.0


@dataclass(frozen=True)
class Case:
    """One microphone, and the setting in question."""

    name: str
    setting: str
    dbfs: float
    noise_dbfs: float


CASES = (
    Case("quiet", "auto_gain", -50.0, -90.0),
    Case("snr_25", "noise_suppression", SPOKEN_DBFS, SPOKEN_DBFS - 25),
    Case("snr_15", "noise_suppression", SPOKEN_DBFS, SPOKEN_DBFS - 15),
)


async def measure(settings: AsrSettings, texts: Sequence[str], voices: Sequence[str]) -> dict[str, float]:
    """`CASE.SETTING_on.wer` and so on: share of words wrong; ms that it seemed too long, p50."""
    found: dict[str, float] = {}
    for case in CASES:
        for on in (False, True):
            chosen = {"engine": settings.engine, "auto_gain": False, "noise_suppression": False, case.setting: on}
            async with listening(msgspec.convert(chosen, AsrSettings)) as ears:
                name = f"{case.name}.{case.setting}_{'on' if on else 'off'}"
                wer, late_ms = await _hear(ears, case, texts, voices)
                found |= {f"{name}.wer": wer, f"{name}.late_ms": late_ms}
                progress(f"{name}: {wer} of words wrong, {late_ms} ms too long")
    return found


async def _hear(ears: Ears, case: Case, texts: Sequence[str], voices: Sequence[str]) -> tuple[float, float]:
    wrong = wanted = 0
    late: list[float] = []
    for number, (voice, text) in enumerate((voice, text) for voice in voices for text in texts):
        said = await say(text, voice, case.dbfs)
        came = await ears.hear(_sound(said, case, number), real_time=False)
        finals = [message for message in came if isinstance(message, AsrFinal)]
        errors, words = word_errors(text, " ".join(final.text for final in finals))
        wrong, wanted = wrong + errors, wanted + words
        late += _late_ms(came, len(said) / RATE_HZ)
    return round(wrong / wanted, 3), round(p50(late), 1) if late else 0.0


def _sound(said: Samples, case: Case, number: int) -> Samples:
    sound = padded(said, BEFORE_S, AFTER_S)
    return mixed(sound, noise(len(sound) / RATE_HZ, case.noise_dbfs, number))


def _late_ms(came: Sequence[Message], said_s: float) -> list[float]:
    """How much longer it seemed than it was."""
    finals = [message for message in came if isinstance(message, AsrFinal)]
    return [finals[-1].end_ms - finals[0].start_ms - said_s * 1000] if finals else []
