"""Small movements of a head that speaks, and blinks. Off by default: tracking and idle animations do it."""

import math
import random

SETTLE_S = 0.5  # how long the head takes to begin and to come to rest
_WAVES: dict[str, tuple[tuple[float, float], ...]] = {  # parameter -> (degrees, Hz); the rates share no common period
    "FaceAngleX": ((4.0, 0.23), (1.5, 0.61)),
    "FaceAngleY": ((2.5, 0.31), (1.2, 0.83)),
    "FaceAngleZ": ((3.0, 0.17), (1.0, 0.47)),
}
BLINK_S = 0.16
BLINK_EVERY_S = (2.0, 6.0)
_EYES = ("EyeOpenLeft", "EyeOpenRight")


class Sway:
    """Swells while she speaks, and comes to rest after."""

    def __init__(self) -> None:
        self._strength = 0.0

    @property
    def at_rest(self) -> bool:
        """The head is straight."""
        return self._strength == 0.0

    def step(self, now: float, elapsed_s: float, *, speaking: bool) -> dict[str, float]:
        """Degrees by parameter; empty at rest."""
        was = self._strength
        change = elapsed_s / SETTLE_S
        self._strength = min(1.0, was + change) if speaking else max(0.0, was - change)
        if not was and not self._strength:
            return {}
        return {name: self._strength * sum(_wave(now, *wave) for wave in waves) for name, waves in _WAVES.items()}

    def stop(self) -> None:
        """Straight, at once."""
        self._strength = 0.0


class Blink:
    """Eyes close for a moment, now and then."""

    def __init__(self, chance: random.Random | None = None) -> None:
        self._chance = chance or random.Random()
        self._next = 0.0

    def due_s(self, now: float) -> float:
        """Seconds until the eyes move next; 0 while they do."""
        return max(0.0, self._next - now)

    def step(self, now: float) -> dict[str, float]:
        """Openness of both eyes while a blink lasts, and once after it; else empty."""
        if not self._next:
            self._plan(now)
        if now < self._next:
            return {}
        phase = (now - self._next) / BLINK_S
        if phase >= 1:
            self._plan(now)
            return dict.fromkeys(_EYES, 1.0)
        return dict.fromkeys(_EYES, abs(2 * phase - 1))

    def _plan(self, now: float) -> None:
        self._next = now + self._chance.uniform(*BLINK_EVERY_S)


def _wave(now: float, degrees: float, rate_hz: float) -> float:
    return degrees * math.sin(2 * math.pi * rate_hz * now)
