"""WebRTC's detector: 2 µs a frame, fooled by music and loud steady noise."""

import webrtcvad

from kitsu.protocol import EARS_RATE_HZ
from kitsu_asr.pcm import Samples, dbfs, to_s16

FLOOR_DBFS = -55.0  # it calls the hiss of a silent room speech; nobody speaks so low into a microphone


class WebRtcVad:
    """`level` is its own aggressiveness."""

    def __init__(self, level: int) -> None:
        self._vad = webrtcvad.Vad(level)

    def speech(self, frame: Samples) -> bool:
        return dbfs(frame) > FLOOR_DBFS and bool(self._vad.is_speech(to_s16(frame), EARS_RATE_HZ))
