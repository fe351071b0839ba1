"""Mouth shapes by ear."""

from array import array

from kitsu_tts.mouth import Mouth

RATE_HZ = 24_000


def buzz(level: int, seconds: float, period: int = 160) -> bytes:
    return array("h", (level if n % period < period // 2 else -level for n in range(int(seconds * RATE_HZ)))).tobytes()


def test_opens_with_the_level_and_closes() -> None:
    mouth = Mouth(RATE_HZ)
    shapes = [
        viseme.viseme
        for pcm in (bytes(9600), buzz(12_000, 0.2), buzz(4_000, 0.2), bytes(9600))
        for viseme in mouth.feed(pcm)
    ]
    assert shapes == ["sil", "aa", "ih", "sil"]


def test_hisses() -> None:
    assert [viseme.viseme for viseme in Mouth(RATE_HZ).feed(buzz(3_000, 0.1, period=4))] == ["SS"]


def test_a_last_crumb_closes_it() -> None:
    mouth = Mouth(RATE_HZ)
    mouth.feed(buzz(9_000, 0.05))
    assert mouth.feed(buzz(9_000, 0.01), last=True)[-1].viseme == "sil"
