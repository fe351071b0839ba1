"""Kitsu's own voice in the microphone: taken out, and told from somebody who speaks over her."""

import numpy as np
import pytest

from kitsu_asr.echo import LEARN_FRAMES, EchoGuard, Reference
from kitsu_asr.pcm import Samples
from kitsu_asr.vad import FRAME, make_vad
from tests.fakes.speech import noise, silence, spoken

HER_TEXT = "hello everybody i am kitsu and today we are going to play a game about foxes and stars"
OTHER_TEXT = "hey stop that and listen to me please"
AHEAD = 1280


def room(sound: Samples, gain: float, delay_s: float) -> Samples:
    out = np.zeros(len(sound) + 16_000, np.float32)
    for later, part in ((0, 1.0), (300, 0.4), (900, 0.25), (1700, 0.12)):
        start = int(delay_s * 16_000) + later
        out[start : start + len(sound)] += sound * np.float32(gain * part)
    return out + noise(len(out) / 16_000, -65)[: len(out)]


class Microphone:
    """Frames of a microphone beside a speaker that plays `hers`; every turn may be dated a little otherwise."""

    def __init__(self) -> None:
        self.reference = Reference()
        self.guard = EchoGuard(self.reference)
        self.vad = make_vad("webrtc", 2)
        self.now = 100.0
        self.position = 0

    def voiced(self, mic: Samples, hers: Samples, jitter_s: float = 0.0) -> list[bool]:
        """For each frame, whether somebody else speaks."""
        found, given, began = [], 0, self.now
        for at in range(0, len(mic) - FRAME + 1, FRAME):
            while given < min(len(hers), at + AHEAD):
                piece = hers[given : given + FRAME]
                self.reference.add(self.position, piece, began + given / 16_000 + jitter_s)
                self.position += len(piece)
                given += FRAME
            cleaned = self.guard.clean(mic[at : at + FRAME], began + at / 16_000)
            found.append(self.vad.speech(cleaned.samples) and not cleaned.own)
        self.now += len(mic) / 16_000 + 2.0
        self.position += 100_000
        return found


@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.12, 0.3])
@pytest.mark.parametrize("gain", [0.05, 0.3, 1.0])
def test_she_is_not_taken_for_somebody(delay_s: float, gain: float) -> None:
    her = spoken(HER_TEXT, "en-us+f3")
    microphone = Microphone()
    raw = room(her, gain, delay_s)
    unguarded = make_vad("webrtc", 2)
    heard = sum(unguarded.speech(raw[at : at + FRAME]) for at in range(0, len(raw) - FRAME, FRAME))
    assert heard > 200, "without the guard she would be"
    for jitter_s in (0.0, 0.004, -0.007):
        assert sum(microphone.voiced(raw, her, jitter_s)) < 0.05 * heard


@pytest.mark.parametrize("gain", [0.05, 0.3])
def test_who_speaks_over_her_is_heard_at_once(gain: float) -> None:
    her, other = spoken(HER_TEXT, "en-us+f3"), spoken(OTHER_TEXT) * np.float32(0.5)
    microphone = Microphone()
    alone = room(her, gain, 0.06)
    microphone.voiced(alone, her)
    both = alone.copy()
    both[32_000 : 32_000 + len(other)] += other
    voiced = microphone.voiced(both, her)
    spoke = voiced[100 : 100 + len(other) // FRAME]
    assert spoke.index(True) * 20 <= 200
    assert sum(spoke) > 0.3 * len(spoke)


def test_without_her_voice_nothing_is_touched() -> None:
    sound = spoken(OTHER_TEXT)
    guard = EchoGuard(Reference())
    for at in range(0, len(sound) - FRAME, FRAME):
        cleaned = guard.clean(sound[at : at + FRAME], 5.0 + at / 16_000)
        assert cleaned.samples is not None
        assert (cleaned.echo, cleaned.own) == (0.0, False)
        assert np.array_equal(cleaned.samples, sound[at : at + FRAME])


@pytest.mark.parametrize("floor_dbfs", [-62, -75, -90])
def test_with_headphones_the_first_interruption_is_heard_at_once(floor_dbfs: float) -> None:
    her, other = spoken(HER_TEXT, "en-us+f3"), spoken(OTHER_TEXT) * np.float32(0.5)
    heard = noise(len(her) / 16_000 + 3, floor_dbfs)
    heard[40_000 : 40_000 + len(other)] += other
    spoke = Microphone().voiced(heard, her)[125:]
    assert spoke.index(True) * 20 <= 200


@pytest.mark.parametrize("delay_s", [0.0, 0.06, 0.2])
@pytest.mark.parametrize("gain", [0.05, 0.3])
def test_over_loudspeakers_too_once_she_has_said_a_word_or_two(gain: float, delay_s: float) -> None:
    """Her very first sentence, in an unknown room; somebody speaks into it after 1.4 s."""
    her, other = spoken(HER_TEXT, "en-us+f3"), spoken(OTHER_TEXT) * np.float32(0.5)
    heard = room(her, gain, delay_s)
    heard[22_400 : 22_400 + len(other)] += other
    voiced = Microphone().voiced(heard, her)
    assert sum(voiced[:70]) <= 2, "until then only she speaks"
    assert voiced[70:].index(True) * 20 <= 200


def test_a_microphone_that_is_switched_off_teaches_nothing() -> None:
    her = spoken(HER_TEXT, "en-us+f3")
    microphone = Microphone()
    microphone.voiced(silence(len(her) / 16_000), her)
    assert sum(microphone.voiced(room(her, 0.3, 0.03), her)[:LEARN_FRAMES]) == 0


@pytest.mark.parametrize("gain", [0.05, 0.3, 1.0])
def test_her_pauses_are_not_taken_for_headphones(gain: float) -> None:
    """A quiet room, and she stops between her words: nothing may be concluded from those moments."""
    word, gap = spoken("hello everybody", "en-us+f3"), silence(0.35)
    her = np.concatenate([part for _ in range(6) for part in (word, gap)])
    heard = room(her, gain, 0.0)
    microphone = Microphone()
    assert sum(microphone.voiced(heard, her)) < 0.05 * len(her) / FRAME


def test_hostile_numbers_leave_it_well() -> None:
    microphone = Microphone()
    her = spoken(HER_TEXT, "en-us+f3")
    microphone.reference.add(0, np.full(FRAME, 1.0, np.float32), 1e9)  # far in the future
    microphone.reference.add(-5, np.full(FRAME, -1.0, np.float32), 0.0)  # and long ago
    microphone.voiced(np.sign(noise(2, 0)).astype(np.float32), silence(2))
    assert sum(microphone.voiced(room(her, 0.3, 0.05), her)) < 60
    assert np.isfinite(microphone.guard.clean(her[:FRAME], microphone.now).samples).all()
