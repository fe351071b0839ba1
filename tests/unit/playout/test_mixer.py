"""Level, limiter, resampler, borders."""

import numpy as np
import pytest

from kitsu_playout.mixer import EDGE, Limiter, Mixer, Volume, ratio

CEILING = ratio(-1.0)


def through(mixer: Mixer, pcm: np.ndarray, step: int) -> np.ndarray:  # type: ignore[type-arg]
    parts = [mixer.feed(pcm[at : at + step].astype("<i2").tobytes()) for at in range(0, len(pcm), step)]
    return np.concatenate([*parts, mixer.finish()])


@pytest.mark.parametrize("step", [1, 47, 48, 49, 1324, 100_000])
@pytest.mark.parametrize("gain", [1.0, 3.0, 30.0])
def test_nothing_is_over_the_ceiling(step: int, gain: float) -> None:
    rng = np.random.default_rng(1)
    sound = (rng.standard_normal(4000 if step == 1 else 20_000) * 0.3 * gain).astype(np.float32)
    limiter = Limiter(-1.0)
    out = np.concatenate([limiter.process(sound[at : at + step]) for at in range(0, len(sound), step)])
    assert len(out) == len(sound)
    assert np.abs(out).max() <= CEILING + 1e-6
    assert np.all(np.sign(out) == np.sign(sound))


def test_quiet_sound_passes_untouched() -> None:
    sound = np.linspace(-0.8, 0.8, 5000, dtype=np.float32)
    assert np.array_equal(Limiter(-1.0).process(sound), sound)


def test_the_limiter_lets_go_slowly() -> None:
    limiter = Limiter(-1.0)
    limiter.process(np.full(480, 2.0, np.float32))
    after = limiter.process(np.full(48_000, 0.5, np.float32))
    assert after[0] < 0.25
    assert after[-1] == pytest.approx(0.5)
    assert np.abs(np.diff(after)).max() < 0.001


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("step", [37, 1324])
def test_the_cut_into_chunks_does_not_matter(rate_hz: int, step: int) -> None:
    tone = np.round(10_000 * np.sin(np.arange(rate_hz // 4) * 2 * np.pi * 220 / rate_hz))
    whole = through(Mixer(rate_hz, 0.0, -1.0), tone, 1 << 20)
    cut = through(Mixer(rate_hz, 0.0, -1.0), tone, step)
    assert len(whole) == len(cut) == pytest.approx(12_000, abs=1)
    assert np.abs(whole.astype(int) - cut).max() <= 1
    ideal = 10_000 * np.sin(np.arange(len(whole)) * 2 * np.pi * 220 / 48_000)
    assert np.abs(whole - ideal)[EDGE:-EDGE].max() < 300  # level kept, lag far under 1 ms


def test_gain() -> None:
    out = through(Mixer(48_000, 6.0206, -1.0), np.full(4800, 1000), 480)
    assert abs(int(out[2000]) - 2000) <= 1


def test_borders_are_soft() -> None:
    out = through(Mixer(48_000, 0.0, -1.0), np.full(4800, 16_000), 480)
    assert abs(int(out[0])) < 200
    assert abs(int(out[-1])) < 200
    assert np.abs(np.diff(out.astype(int))).max() < 200


@pytest.mark.parametrize("samples", [0, 1, 5, EDGE, EDGE + 1, 2 * EDGE - 1])
def test_crumbs(samples: int) -> None:
    assert len(through(Mixer(48_000, 0.0, -1.0), np.full(samples, 9000), 3)) == samples


def test_the_volume_moves_without_a_click() -> None:
    volume = Volume()
    tone = (10_000 * np.sin(2 * np.pi * 500 * np.arange(960) / 48_000)).astype(np.int16)
    assert volume.apply(tone) is tone
    volume.percent = 50
    out = np.concatenate([volume.apply(tone) for _ in range(3)])
    assert np.abs(out[-960:]).max() == pytest.approx(2_500, rel=0.01)
    steps = np.abs(np.diff(out.astype(np.int32)))
    assert steps.max() < 700, "no step larger than the tone's own"
    volume.percent = 0
    volume.apply(tone)
    assert not volume.apply(tone).any()
