"""Steady noise is taken out, what rises from it stays."""

import numpy as np

from kitsu_asr.levels import NoiseSuppressor
from kitsu_asr.vad import FRAME


def test_steady_noise_becomes_softer_and_a_tone_stays() -> None:
    random = np.random.default_rng(1)
    hiss = (0.02 * random.standard_normal(200 * FRAME)).astype(np.float32)
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(20 * FRAME) / 16_000)).astype(np.float32)
    sound = hiss.copy()
    sound[-len(tone) :] += tone
    suppressor = NoiseSuppressor()
    out = np.concatenate([suppressor.feed(frame) for frame in sound.reshape(-1, FRAME)])
    assert out[100 * FRAME : 170 * FRAME].std() < 0.6 * hiss.std()
    assert out[-10 * FRAME :].std() > 0.5 * tone.std()
