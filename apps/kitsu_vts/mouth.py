"""Mouth shapes as numbers, and how one turns into the next.

`open` and `smile` are close to those of the overlay's fox (web/src/lib/overlay/mouth.ts); vowels are the share of each
of the five that VTube Studio's own lipsync knows (VoiceA, VoiceI, VoiceU, VoiceE, VoiceO).
"""

import math
from typing import NamedTuple

from kitsu.protocol import VisemeName

OPENING_S = 0.035
CLOSING_S = 0.055
STILL = 0.01  # nearer than that is there


class Shape(NamedTuple):
    """All 0..1; `smile` 0.5 is a mouth at rest."""

    open: float = 0.0
    smile: float = 0.5
    round: float = 0.0


REST = Shape()

SHAPES: dict[VisemeName, Shape] = {
    "sil": REST,
    "PP": Shape(0.0, 0.4, 0.1),
    "FF": Shape(0.16, 0.45, 0.0),
    "TH": Shape(0.26, 0.47, 0.0),
    "DD": Shape(0.32, 0.5, 0.0),
    "kk": Shape(0.36, 0.5, 0.0),
    "CH": Shape(0.3, 0.28, 0.5),
    "SS": Shape(0.2, 0.62, 0.0),
    "nn": Shape(0.24, 0.5, 0.0),
    "RR": Shape(0.34, 0.28, 0.4),
    "aa": Shape(1.0, 0.6, 0.0),
    "E": Shape(0.62, 0.72, 0.0),
    "ih": Shape(0.42, 0.78, 0.0),
    "oh": Shape(0.78, 0.3, 0.7),
    "ou": Shape(0.46, 0.15, 1.0),
}

_VOWELS: dict[str, VisemeName] = {"a": "aa", "i": "ih", "u": "ou", "e": "E", "o": "oh"}


class Mouth:
    """Moves towards the shape that sounds; lips open a little quicker than they close."""

    def __init__(self) -> None:
        self.shape = REST
        self._vowels = dict.fromkeys(_VOWELS, 0.0)

    @property
    def at_rest(self) -> bool:
        """Nothing of the last word is left."""
        return self.shape == REST and not any(self._vowels.values())

    def step(self, viseme: VisemeName, elapsed_s: float) -> None:
        """`elapsed_s` later, while `viseme` sounds."""
        goal = SHAPES[viseme]
        self.shape = Shape(
            _near(self.shape.open, goal.open, elapsed_s),
            _near(self.shape.smile, goal.smile, elapsed_s),
            _near(self.shape.round, goal.round, elapsed_s),
        )
        for vowel, name in _VOWELS.items():
            self._vowels[vowel] = _near(self._vowels[vowel], float(name == viseme), elapsed_s)

    def close(self) -> None:
        """At rest, at once."""
        self.shape = REST
        self._vowels = dict.fromkeys(_VOWELS, 0.0)

    def value(self, source: str) -> float:
        """One of the settings' sources, 0..1."""
        match source:
            case "open":
                return self.shape.open
            case "smile":
                return self.shape.smile
            case "round":
                return self.shape.round
            case "silence":
                return 1.0 - min(1.0, self.shape.open * 2)
            case vowel:
                return self._vowels[vowel]


def _near(value: float, goal: float, elapsed_s: float) -> float:
    constant = OPENING_S if goal > value else CLOSING_S
    moved = value + (goal - value) * (1 - math.exp(-elapsed_s / constant))
    return goal if abs(goal - moved) < STILL else moved
