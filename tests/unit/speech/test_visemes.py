"""Phonemes to mouth shapes."""

from typing import get_args

import pytest

from kitsu.protocol import VisemeName
from kitsu.speech import viseme_of


@pytest.mark.parametrize(
    ("phonemes", "shape"),
    [
        ("p b m", "PP"),
        ("f v", "FF"),
        ("θ ð", "TH"),
        ("t d", "DD"),
        ("k ɡ g", "kk"),
        ("tʃ t͡ʃ dʒ ʃ ʒ tS dZ", "CH"),
        ("s z", "SS"),
        ("n l ŋ", "nn"),
        ("ɹ r ɚ", "RR"),
        ("ɑː a æ aɪ aI aʊ ʌ", "aa"),
        ("ɛ e eɪ ə", "E"),
        ("ɪ iː i", "ih"),
        ("oʊ ɔː ɔɪ ɒ", "oh"),
        ("uː ʊ w", "ou"),
        ("ˈiː ˌɪ iːː", "ih"),
    ],
)
def test_known_phonemes(phonemes: str, shape: str) -> None:
    assert {viseme_of(phoneme) for phoneme in phonemes.split()} == {shape}


@pytest.mark.parametrize("pause", ["", " ", "_", "_:", "ː", "ˈ", "ʔ", "\0", "||", "\0\0\0"])
def test_pauses_close_the_mouth(pause: str) -> None:
    assert viseme_of(pause) == "sil"


@pytest.mark.parametrize("odd", ["漢", "ʘ", "7", "\x01x\x02", "é" * 10_000])
def test_unknown_sounds_open_it_half(odd: str) -> None:
    assert viseme_of(odd) in get_args(VisemeName)
