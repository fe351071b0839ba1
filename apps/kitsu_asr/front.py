"""A frame on its way from the microphone to the recogniser: her own voice out, noise out, voice or none, louder."""

from dataclasses import dataclass

from kitsu_asr.config import AsrSettings
from kitsu_asr.echo import EchoGuard, Reference
from kitsu_asr.levels import AutoGain, NoiseSuppressor
from kitsu_asr.pcm import SILENCE_DBFS, Samples, dbfs
from kitsu_asr.vad import Vad

FALL_DB = 1.0  # a frame: how quickly the level that is shown falls


@dataclass(frozen=True, slots=True)
class Sound:
    """One frame."""

    raw: Samples  # as it came
    frame: Samples  # as the recogniser gets it
    echo: float  # 0 to 1: the part of it that was hers
    speech: bool


class Front:
    """One source's."""

    def __init__(self, settings: AsrSettings, vad: Vad, reference: Reference | None) -> None:
        self.level_dbfs = SILENCE_DBFS
        self._vad = vad
        self._guard = EchoGuard(reference) if reference is not None else None
        self._gain = AutoGain() if settings.auto_gain else None
        self._noise = NoiseSuppressor() if settings.noise_suppression else None

    def feed(self, raw: Samples, heard_at_s: float | None, *, listening: bool) -> Sound:
        """`heard_at_s`: of its first sample; None: not known yet."""
        frame, echo, own = raw, 0.0, False
        if self._guard is not None and heard_at_s is not None:
            cleaned = self._guard.clean(raw, heard_at_s)
            frame, echo, own = cleaned.samples, cleaned.echo, cleaned.own
        self.level_dbfs = max(dbfs(raw), self.level_dbfs - FALL_DB)
        if self._noise is not None:
            frame = self._noise.feed(frame)
        speech = self._vad.speech(frame) and not own and listening
        return Sound(raw, self._louder(frame, speech), echo, speech)

    def _louder(self, frame: Samples, speech: bool) -> Samples:
        """For the recogniser only: made louder, a room's hiss would be speech."""
        if self._gain is None:
            return frame
        if speech:
            self._gain.learn(frame)
        return self._gain.feed(frame)
