"""Takes what Kitsu herself says out of what the microphone hears, and says how much of it that was.

A partitioned block frequency-domain adaptive filter (Soo & Pang 1990, "Multidelay block frequency domain
adaptive filter"), in two copies (Ochiai et al. 1977, "Echo canceler with two echo path models"): the one in the
background learns all the time, and becomes the one that is used only when it was better for a while. So somebody who
speaks at the same time does not spoil it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kitsu.protocol import EARS_RATE_HZ
from kitsu_asr.pcm import Samples
from kitsu_asr.vad import FRAME

Spectra = NDArray[np.complex64]  # (PARTS, FRAME + 1)

PARTS = 24  # of 20 ms: rooms, jitter buffers of browsers and sound cards stay below half a second
STEP = 1.0
CAREFUL_STEP = 0.05  # while somebody else speaks
REGULAR = 1e-3
EARLY_S = 0.04  # the reference may be dated later than it sounds by so much
KEEP_S = 4.0
LEARN_FRAMES = 35  # with sound on both sides, before an unknown room is known: fewer take her for somebody (measured)
APART_FRAMES = 15  # she is loud and a live microphone hears nothing of it: headphones
LOUD = 1e-4  # power that a loudspeaker would make heard, -40 dBFS
SYLLABLE = 4  # frames: shorter gaps in her voice are none
SOUNDS = 1e-6  # power of a frame that counts as sound, -60 dBFS
BETTER, BETTER_FRAMES = 0.9, 3
LEAK_MIN = 0.02
RINGING = 0.8  # a frame
KNOWN_PACE, UNKNOWN_PACE = 0.05, 0.003  # at which the rest is followed when it seems hers, or somebody's
OWN = 8.0  # times what is left of her must be exceeded …
BANDS, OTHERS_BANDS = 12, 4  # … in so many bands to be somebody else
GAINS_PACE = 0.03
NEW_RUN = 10  # frames of silence, after which her sound may be dated anew


class Reference:
    """What one conversation was given to hear, by the time at which it sounds."""

    def __init__(self) -> None:
        self._size = int(KEEP_S * EARS_RATE_HZ)
        self._ring = np.zeros(self._size, np.float32)
        self._end = 0  # absolute sample after the last one
        self._next = -1  # stream position that continues the run

    def add(self, position: int, samples: Samples, sounds_at_s: float) -> None:
        """Samples that begin at `position` of the conversation's stream and sound at `sounds_at_s`."""
        due = round(sounds_at_s * EARS_RATE_HZ)
        start = self._end if position == self._next and abs(due - self._end) < EARS_RATE_HZ // 10 else due
        self._next = position + len(samples)
        if abs(start - self._end) > self._size:  # a clock that jumped: what is kept means nothing any more
            self._ring[:] = 0.0
            self._end = start
        samples = samples[-self._size :]
        if start > self._end:
            self._write(self._end, np.zeros(min(start - self._end, self._size), np.float32), start)
        self._write(start, samples, start + len(samples))

    def at(self, time_s: float, count: int) -> Samples:
        """`count` samples from `time_s` on; silence where there is nothing."""
        first = round(time_s * EARS_RATE_HZ)
        index = np.arange(first, first + count)
        there = (index < self._end) & (index >= self._end - self._size)
        return np.where(there, self._ring[index % self._size], np.float32(0.0)).astype(np.float32)

    def _write(self, start: int, samples: Samples, end: int) -> None:
        self._ring[np.arange(end - len(samples), end) % self._size] = samples
        self._end = max(self._end, end)


@dataclass(frozen=True, slots=True)
class Cleaned:
    """One frame."""

    samples: Samples  # what is left
    echo: float  # 0 to 1: the part of the power that was hers
    own: bool  # nothing but her, or it cannot be told yet


class EchoGuard:
    """One microphone against one reference."""

    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        bins = FRAME + 1
        self._x = np.zeros((PARTS, bins), np.complex64)  # spectra of the reference, newest first
        self._last = np.zeros(FRAME, np.float32)
        self._used = np.zeros((PARTS, bins), np.complex64)
        self._learning = np.zeros((PARTS, bins), np.complex64)
        self._better = 0
        self._learned = 0
        self._apart = 0
        self._leak = 1.0
        self._expected = np.zeros(BANDS)
        self._gains = np.zeros((PARTS, bins))  # of power, slowly
        self._quiet = PARTS

    def clean(self, frame: Samples, heard_at_s: float) -> Cleaned:
        """A frame whose first sample was heard at `heard_at_s` (a continuous time, not a jumping one)."""
        reference = self._reference.at(heard_at_s + EARLY_S, FRAME)
        sounding = float(np.mean(reference**2)) > SOUNDS
        if sounding and self._quiet > NEW_RUN:
            self._leak = 1.0
        self._quiet = 0 if sounding else self._quiet + 1
        spectrum = np.fft.rfft(np.concatenate((self._last, reference))).astype(np.complex64)
        self._x = np.roll(self._x, 1, axis=0)
        self._x[0], self._last = spectrum, reference
        if self._quiet >= PARTS:
            return Cleaned(frame, 0.0, own=False)
        return self._cancel(frame)

    def _cancel(self, frame: Samples) -> Cleaned:
        echo = _filtered(self._used, self._x)
        left = frame - echo
        error = frame - _filtered(self._learning, self._x)
        heard, rest = _power(frame), _power(left)
        if rest > heard:  # a filter that makes it worse is not used
            left, rest = frame, heard
        own = self._is_own(left)
        self._count(heard)
        unknown = self._learned < LEARN_FRAMES and self._apart < APART_FRAMES  # too early to tell her from somebody
        self._adapt(error, STEP if own or unknown else CAREFUL_STEP)
        self._exchange(heard, rest, _power(error))
        if own or unknown:
            self._gains += (np.abs(self._learning) ** 2 - self._gains) * GAINS_PACE
        share = max(0.0, 1.0 - rest / heard) if heard > SOUNDS else 0.0
        return Cleaned(left, max(share, 1.0 if own else 0.0), own or unknown)

    def _count(self, heard: float) -> None:
        """What a frame says of the room. Zeros are a microphone that is off, and say nothing."""
        if heard > SOUNDS:
            self._learned += 1
            self._apart = self._apart if self._apart >= APART_FRAMES else 0
        elif heard > 0.0 and self._would_be_heard():
            self._apart += 1

    def _would_be_heard(self) -> bool:
        """Whether she was loud all the time from which an echo, however late, would arrive now."""
        power = np.sum(np.abs(self._x) ** 2, axis=1) / (2 * FRAME * FRAME)
        return float(power.reshape(-1, SYLLABLE).mean(axis=1).min()) > LOUD

    def _is_own(self, left: Samples) -> bool:
        """Whether what is left is no more, in hardly any band, than what is usually left of her.

        How loud she should be comes from the filter's gains without their phases: a new sentence may come some ms
        earlier or later than the one before, and then the filter cancels nothing until it has learned that.
        """
        spectrum = np.abs(np.fft.rfft(np.concatenate((np.zeros(FRAME, np.float32), left)))) ** 2
        hers = np.sum(self._gains * np.abs(self._x) ** 2, axis=0) / 2
        bands, expected = _in_bands(spectrum), _in_bands(hers)
        self._expected = np.maximum(expected, self._expected * RINGING)
        if float(np.sum(self._expected)) < SOUNDS * FRAME:
            return False
        more = bands > OWN * max(self._leak, LEAK_MIN) * self._expected + SOUNDS * FRAME / BANDS
        own = int(np.count_nonzero(more)) < OTHERS_BANDS
        ratio = min(1.0, float(np.sum(bands) / np.sum(self._expected)))
        self._leak += (ratio - self._leak) * (KNOWN_PACE if own else UNKNOWN_PACE)
        return own

    def _adapt(self, error: Samples, step: float) -> None:
        spectrum = np.fft.rfft(np.concatenate((np.zeros(FRAME, np.float32), error)))
        power = np.sum(np.abs(self._x) ** 2, axis=0)
        self._learning += (np.conj(self._x) * (spectrum * (step / (power + REGULAR * FRAME)))).astype(np.complex64)
        taps = np.fft.irfft(self._learning, axis=1)
        taps[:, FRAME:] = 0.0  # a filter of FRAME taps a part: what wraps around is cut off
        self._learning = np.fft.rfft(taps, axis=1).astype(np.complex64)

    def _exchange(self, heard: float, rest: float, error: float) -> None:
        self._better = self._better + 1 if error < BETTER * min(rest, heard) else 0
        if self._better >= BETTER_FRAMES:
            self._used = self._learning.copy()
            self._better = 0
        elif error > 4 * heard + SOUNDS:  # it ran away
            self._learning = self._used.copy()


_EDGES = np.unique(np.geomspace(150, 6000, BANDS + 1).astype(int) * 2 * FRAME // EARS_RATE_HZ)


def _in_bands(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.add.reduceat(power, _EDGES)[:-1]


def _power(samples: Samples) -> float:
    return float(np.mean(samples**2))


def _filtered(weights: Spectra, x: Spectra) -> Samples:
    out: Samples = np.fft.irfft(np.sum(weights * x, axis=0))[FRAME:].astype(np.float32)
    return out
