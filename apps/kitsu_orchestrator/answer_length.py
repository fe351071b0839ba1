"""How long her answers may be, so that her first sound stays in time."""

from collections import deque

TURNS = 20  # that are looked back at
ENOUGH = 6  # turns before answers get shorter
SLOW, QUICK = 0.85, 0.6  # of the target: p95 above the one makes answers shorter, below the other longer
FACTORS = (1.0, 0.75, 0.55, 0.4)  # of policy.max_tokens; no step is as wide as from SLOW to QUICK, or it could flap
HINT = "(There is little time: answer in one short sentence, please.)"


class AnswerLength:
    """Follows the first sound of the stage's spoken turns.

    A step shorter needs few turns, a step longer `TURNS` quick ones, and after each step counting begins anew: between
    the two limits nothing changes, so the length does not flap. A single slow turn (a model that had to be loaded)
    proves nothing.
    """

    def __init__(self, target_ms: float) -> None:
        self._target_ms = target_ms
        self._first_audio_ms: deque[float] = deque(maxlen=TURNS)
        self._step = 0

    @property
    def factor(self) -> float:
        """Of the most tokens that an answer may have; 1.0 is unhurried."""
        return FACTORS[self._step]

    def spoken(self, first_audio_ms: float) -> None:
        """A turn of the stage was spoken; its first sound came so long after its line."""
        self._first_audio_ms.append(first_audio_ms)
        turns = len(self._first_audio_ms)
        if turns >= ENOUGH and self._p95_ms() > SLOW * self._target_ms:
            self._move(+1)
        elif turns == TURNS and self._p95_ms() < QUICK * self._target_ms:
            self._move(-1)

    def max_tokens(self, most: int) -> int:
        """Tokens of the next answer, when `most` are allowed."""
        return max(1, round(most * self.factor))

    def prompt(self, line: str) -> str:
        """The quoted line, with the hint after it when answers are short: a limit alone would cut a sentence in two."""
        return f"{line}\n{HINT}" if self._step else line

    def _move(self, by: int) -> None:
        step = min(max(self._step + by, 0), len(FACTORS) - 1)
        if step != self._step:
            self._step = step
            self._first_audio_ms.clear()

    def _p95_ms(self) -> float:
        """Nearest rank of `TURNS` turns, that is the second slowest; of fewer turns the same."""
        return sorted(self._first_audio_ms)[-2]
