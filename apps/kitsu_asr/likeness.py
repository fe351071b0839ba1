"""Whether a sound that was squeezed into the grammar of commands was one: the recogniser's own words are the measure.

A grammar finds a command in anything. Free recognition of the same sound says how much better it fits other words, and
which: if those sound quite different, it was talk.
"""

from collections.abc import Sequence

FITS, APART = 0.75, 1.3
"""By so much a frame (in thousands) must the command beat the free words, and by so much more when those sound wholly
different. Chosen on seven synthetic voices, none of them the bench's: 52 % of commands are understood then, and of 462
sentences of talk six are taken for one, such as "skin that" and "speak to me again". Lower takes more of both.
"""
NEARLY = 0.2  # of the command's sounds may differ when the recogniser gives no likelihoods

_VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
_KINDS = ("B P", "D T TH DH", "G K", "S Z SH ZH CH JH", "M N NG", "F V W", "L R ER", " ".join(_VOWELS))
_KIN = tuple(frozenset(kind.split()) for kind in _KINDS)


def is_command(gain: float | None, command: Sequence[str], free: Sequence[str]) -> bool:
    """Args:
    gain: log-likelihood a frame of the command above that of the free words, unscaled; None: not known.
    command, free: their sounds.
    """
    apart = distance(command, free) / max(1, len(command))
    if gain is None:
        return apart <= NEARLY
    return gain * 1000 >= FITS + APART * min(apart, 2.0)


def distance(one: Sequence[str], other: Sequence[str]) -> float:
    """Sounds that must be added, left out or replaced; one of the same kind counts half."""
    row = [float(n) for n in range(len(other) + 1)]
    for n, sound in enumerate(one, 1):
        before, row = row, [float(n)]
        for m, heard in enumerate(other, 1):
            row.append(min(before[m] + 1, row[-1] + 1, before[m - 1] + _unlike(sound, heard)))
    return row[-1]


def _unlike(one: str, other: str) -> float:
    if one == other:
        return 0.0
    return 0.5 if any(one in kind and other in kind for kind in _KIN) else 1.0
