"""Phonemes to mouth shapes.

The 15 shapes and the consonants' rows come from Meta's "Viseme Reference" (Oculus Lipsync): PP p b m, FF f v, TH th,
DD t d, kk k g, CH tS dZ S, SS s z, nn n l, RR r, aa A:, E e, ih I, oh O, ou U. Sounds that the table lacks take the row
of their neighbour in the IPA chart: same place of articulation for consonants, same height and rounding for vowels.
"""

from functools import lru_cache
from unicodedata import category

from kitsu.protocol import VisemeName

_ROWS: dict[VisemeName, str] = {
    "sil": "ʔ",
    "PP": "p b m ɓ",
    "FF": "f v ɱ ʋ ɸ β",
    "TH": "θ ð T D",
    "DD": "t d ʈ ɖ ɗ",
    "kk": "k g ɡ x ɣ c ɟ q ɢ χ ç C Q ɠ ħ",
    "CH": "tʃ dʒ tS dZ ʃ ʒ S Z ʂ ʐ ɕ ʑ tɕ dʑ",
    "SS": "s z ts dz",
    "nn": "n l ŋ N ɲ ɳ ɴ ɫ ɭ ʎ ʟ ɬ ɮ",
    "RR": "r ɹ ɾ ʁ ʀ ɻ ɽ R * ɚ ɝ ɜ 3",
    "aa": "a ɑ æ ɐ ʌ A V ä ɶ h ɦ",
    "E": "e ɛ ə E @ ɘ ɵ",
    "ih": "i ɪ ɨ I j y Y ʏ",
    "oh": "o ɔ ɒ O 0 ɤ œ ø",
    "ou": "u ʊ U w ʍ W ɯ ʉ ɥ",
}
"""IPA symbols, and espeak's ASCII mnemonics (Kirshenbaum) for the sounds of English."""

_SHAPES: dict[str, VisemeName] = {symbol: viseme for viseme, row in _ROWS.items() for symbol in row.split()}

_LONGEST = max(map(len, _SHAPES))


def viseme_of(phoneme: str) -> VisemeName:
    """The mouth shape of one phoneme: `sil` for a pause, of a diphthong the shape it starts with.

    Args:
        phoneme: IPA or an espeak mnemonic, at most 8 code points. Stress, length, tie bars and other modifiers do not
            move the mouth; what is unknown reads as `E`, a half-open mouth.
    """
    return _shape_of(phoneme[:8])


@lru_cache(maxsize=1024)
def _shape_of(phoneme: str) -> VisemeName:
    symbols = "".join(char for char in phoneme if category(char) not in ("Lm", "Mn", "Cc"))
    for at in range(len(symbols)):
        for size in range(_LONGEST, 0, -1):
            if shape := _SHAPES.get(symbols[at : at + size]):
                return shape
    return "E" if any(map(str.isalnum, symbols)) else "sil"
