"""The face she wears in VTube Studio, and gestures that pass. Puts on and takes off only what it has put on itself:
expressions that the streamer switched on (glasses, a hat) stay."""

from typing import Any

from kitsu.telemetry import log
from kitsu_vts.errors import HOTKEY_BUSY, MODEL_WENT, VtsRefusedError
from kitsu_vts.lane import Lane
from kitsu_vts.vocabulary import NEUTRAL, Target

GESTURE_S = 1.2  # an expression that serves as a gesture shows so long
WEAK = 0.2  # a direction of less intensity is not worth a change


class Face:
    """Survives a lost connection: what could not be taken off is taken off on the next one."""

    def __init__(self, fade_s: float) -> None:
        self.word = ""  # that is worn; empty: neutral
        self._fade_s = fade_s
        self._worn: Target | None = None
        self._leaving: dict[str, float] = {}  # expression file -> when it is taken off

    @property
    def bare(self) -> bool:
        """Nothing of ours shows."""
        return self._worn is None and not self._leaving

    def next_s(self, now: float) -> float | None:
        """Seconds until something is taken off."""
        return max(0.0, min(self._leaving.values()) - now) if self._leaving else None

    async def wear(self, lane: Lane, word: str, target: Target | None, now: float) -> None:
        """Show this face until the next; a word that the model has nothing for leaves the face as it is.

        Raises:
            VtsError: the lane is at its end.
        """
        if word in ("", NEUTRAL):
            await self.undress(lane, now)
        elif target is not None and target == self._worn:
            self.word = word
        elif target is not None:
            self._take_off(now)
            self._worn, self.word = target, word
            await self._show(lane, target)
            await self.settle(lane, now)

    async def gesture(self, lane: Lane, target: Target | None, now: float) -> None:
        """Make a gesture once.

        Raises:
            VtsError: the lane is at its end.
        """
        if target is not None and target != self._worn:
            await self._show(lane, target)
            if target.kind == "expression":
                self._leaving[target.key] = now + GESTURE_S

    async def settle(self, lane: Lane, now: float) -> None:
        """Take off what has had its time."""
        for file in [file for file, until in self._leaving.items() if until <= now]:
            await _tolerant(lane, activation(lane, file, on=False, fade_s=self._fade_s))
            self._leaving.pop(file, None)

    async def undress(self, lane: Lane, now: float) -> None:
        """Neutral: take off whatever we have put on.

        Raises:
            VtsError: the lane is at its end; what is still on is taken off on the next one.
        """
        self._take_off(now)
        self._leaving = dict.fromkeys(self._leaving, now)
        await self.settle(lane, now)

    async def again(self, lane: Lane) -> None:
        """A new connection to the same model: VTube Studio may have been started anew."""
        if self._worn is not None and self._worn.kind == "expression":
            await self._show(lane, self._worn)

    def forget(self) -> str:
        """Another model is there, which wears nothing yet. Returns the word that was worn."""
        self._leaving.clear()
        word, self.word, self._worn = self.word, "", None
        return word

    def _take_off(self, now: float) -> None:
        """An animation that was triggered ends by itself; an expression does not."""
        if self._worn is not None and self._worn.kind == "expression":
            self._leaving[self._worn.key] = now
        self._worn, self.word = None, ""

    async def _show(self, lane: Lane, target: Target) -> None:
        if target.kind == "expression":
            self._leaving.pop(target.key, None)
            await _tolerant(lane, activation(lane, target.key, on=True, fade_s=self._fade_s))
        else:
            await _tolerant(lane, lane.make.requestTriggerHotKey(target.key))


def activation(lane: Lane, file: str, *, on: bool, fade_s: float) -> Any:
    """The request that pyvts has no builder for."""
    data = {"expressionFile": file, "fadeTime": fade_s, "active": on}
    return lane.make.BaseRequest("ExpressionActivationRequest", data)


async def _tolerant(lane: Lane, message: Any) -> None:
    """A face that cannot be shown is no reason to drop the connection: the model may just be going."""
    try:
        await lane.request(message)
    except VtsRefusedError as error:
        quiet = error.error_id in HOTKEY_BUSY | MODEL_WENT
        (log.info if quiet else log.warning)("vts.not_shown", error=error.error_id, message=error.message)
