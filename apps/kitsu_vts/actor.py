"""Moves the model in VTube Studio by what is heard: mouth, face, gestures, head."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from kitsu.protocol import Panic
from kitsu.telemetry import Latency
from kitsu_vts.config import VtsSettings
from kitsu_vts.errors import TAKEN, VtsError, VtsRefusedError
from kitsu_vts.face import WEAK, Face
from kitsu_vts.lane import Lane
from kitsu_vts.mouth import Mouth
from kitsu_vts.orders import Orders
from kitsu_vts.sway import Blink, Sway
from kitsu_vts.timeline import Timeline
from kitsu_vts.vocabulary import NEUTRAL, Target

HEARTBEAT_S = 0.6  # with ANSWER_TIMEOUT_S of a lane: a VTube Studio that hangs is noticed within 1.6 s
LONGEST_STEP_S = 0.1  # after a pause the mouth moves on from where it is
RETRY_TAKEN_S = 2.0

Confirm = Callable[[Panic, float, str], None]  # panic, seconds since it came, what was seen


class Actor:
    """Fed by the hub at any time; `perform` does the talking while there is a connection.

    Args:
        confirm: called once for each panic, when VTube Studio has said that mouth and face are at rest.
        changed: called when `trouble` or the face has changed.
    """

    def __init__(
        self,
        settings: VtsSettings,
        confirm: Confirm,
        changed: Callable[[], None],
        now: Callable[[], float] | None = None,
    ) -> None:
        self.timeline = Timeline()
        self.face = Face(settings.fade_s)
        self.orders = Orders(self.face)
        self.feeds: list[tuple[str, str]] = []  # parameter, source
        self.words: Mapping[str, Target] = {}
        self.trouble = ""  # why the mouth does not move although there is a connection
        self.latency = Latency()  # of a mouth shape: sent -> VTube Studio's answer
        self._settings = settings
        self._confirm = confirm
        self._changed = changed
        self._now = now or time.perf_counter
        self._wake = asyncio.Event()
        self._mouth, self._sway, self._blink = Mouth(), Sway(), Blink()
        self._panicked, self._muted = True, False
        self._pressed: deque[tuple[Panic, float]] = deque()
        self._performing = False
        self._last_sound = 0.0
        self._stepped = 0.0
        self._taken_until = 0.0
        self._again = ""  # the word that another model took off

    # From the hub

    def wake(self) -> None:
        """Something is to be done now."""
        self._wake.set()

    def set_levels(self, *, muted: bool, panicked: bool) -> None:
        """What is true for the whole show."""
        self._muted, self._panicked = muted, panicked
        self.wake()

    def press(self, panic: Panic) -> None:
        """Mouth and face to rest, at once."""
        self._panicked = True
        self.hush(self.timeline.gen)
        self._pressed.append((panic, self._now()))
        if not self._performing:
            self._answer_panics("not connected to VTube Studio: nothing moves there")

    def hush(self, gen: int) -> None:
        """What sounded is over, from `gen` on."""
        self.timeline.flush(gen)
        self._sway.stop()
        self.wake()

    def relax(self) -> None:
        """The hub is gone: neutral, and nothing moves until it is back."""
        self.hush(self.timeline.gen)
        self._last_sound = -1e9

    async def order(self, word: str) -> str:
        """Show a face or make a gesture now; returns what confirmed it.

        Raises:
            VtsError: `vts_panic`, `vts_not_connected`, `no_such_word`, `vts_busy`, `vts_not_shown`, `vts_closed` …
        """
        if self._panicked:
            raise VtsError("vts_panic", "The panic holds; the face stays neutral until: kitsu resume")
        if not self._performing:
            raise VtsError("vts_not_connected", "There is no connection to VTube Studio.", retryable=True)
        if word != NEUTRAL and word not in self.words:
            known = ", ".join([NEUTRAL, *sorted(self.words)])
            raise VtsError("no_such_word", f"This model has nothing for that word. There are: {known}.")
        order = self.orders.put(word)
        self.wake()
        return await order.done

    # From VTube Studio

    def model_changed(self, words: Mapping[str, Target], *, same: bool) -> None:
        """What her words do in the model that is loaded now. `same`: it is the one that was loaded before."""
        self.words = words
        if not same:
            self._again = self.face.forget() or self._again
        self.wake()

    async def perform(self, lane: Lane, heartbeat: Callable[[], Any]) -> None:
        """Talk to VTube Studio until the lane is at its end.

        Args:
            heartbeat: asked every `HEARTBEAT_S` while there is nothing else to send.

        Raises:
            VtsError: the lane is at its end.
        """
        self._performing = True
        sent = self._now()
        try:
            await self.face.again(lane)
            while True:
                if await self._step(lane):
                    sent = self._now()
                elif self._now() - sent >= HEARTBEAT_S:
                    await heartbeat()
                    sent = self._now()
                await self._pause(sent)
        finally:
            self._performing = False
            self._end()

    # how

    async def _step(self, lane: Lane) -> bool:
        """Everything that is due. Returns whether the mouth was sent."""
        while self._pressed:
            await self._rest(lane)
        await self._obey(lane)
        now = self._now()
        await self._direct(lane, now)
        await self.face.settle(lane, now)
        values = self._pose(now)
        if not values or now < self._taken_until:
            return False
        return await self._inject(lane, values)

    def _pose(self, now: float) -> dict[str, float]:
        """Parameters to send; empty when everything is at rest."""
        elapsed_s = min(now - self._stepped, LONGEST_STEP_S)
        self._stepped = now
        speaking = self.timeline.speaking(now) and not self._panicked and not self._muted
        if speaking:
            self._last_sound = now
        was_at_rest = self._mouth.at_rest
        ahead_s = self._settings.ahead_ms / 1000
        self._mouth.step(self.timeline.viseme(now, ahead_s) if speaking else "sil", elapsed_s)
        values = {} if was_at_rest and self._mouth.at_rest and not speaking else self._mouth_values()
        if self._settings.sway:
            values |= self._sway.step(now, elapsed_s, speaking=speaking)
        if self._settings.blink and not self._panicked:
            values |= self._blink.step(now)
        return values

    def _mouth_values(self) -> dict[str, float]:
        return {name: round(self._mouth.value(source), 4) for name, source in self.feeds}

    async def _inject(self, lane: Lane, values: dict[str, float]) -> bool:
        began = self._now()
        request = lane.make.requestSetMultiParameterValue(list(values), list(values.values()))
        try:
            await lane.request(request)
        except VtsRefusedError as error:
            self._taken_until = began + RETRY_TAKEN_S
            if error.error_id != TAKEN:
                raise VtsError("vts_not_moved", error.message, retryable=True) from None
            self._feel(f"Another plugin moves the mouth. Switch it off there, or set vts.mouth. ({error.message})")
            return False
        self.latency.add((self._now() - began) * 1000)
        self._feel("")
        return True

    async def _rest(self, lane: Lane) -> None:
        """Panic: what shows is neutral when VTube Studio has said so."""
        self._again = ""
        self._mouth.close()
        values = self._mouth_values()
        moved = bool(values) and await self._inject(lane, values)
        await self.face.undress(lane, self._now())
        self.orders.drop("vts_panic", "The panic came first.")
        self._changed()
        self._answer_panics("mouth closed, face neutral" if moved else "face neutral; the mouth is not Kitsu's")

    async def _direct(self, lane: Lane, now: float) -> None:
        """Faces and gestures of the segments that begin to be heard; neutral when she has been silent for long."""
        before = self.face.word
        for direct in self.timeline.due(now, self._settings.ahead_ms / 1000):
            if self._panicked or direct.intensity < WEAK:
                continue
            if direct.expression:
                self._again = ""
                await self.face.wear(lane, direct.expression, self.words.get(direct.expression), now)
            if direct.action:
                await self.face.gesture(lane, self.words.get(direct.action), now)
        if self._rest_due_s(now) == 0.0:
            await self.face.undress(lane, now)
        if self.face.word != before:
            self._changed()

    def _rest_due_s(self, now: float) -> float | None:
        if self.face.bare or not self._settings.rest_s or self.timeline.speaking(now):
            return None
        return max(0.0, self._last_sound + self._settings.rest_s - now)

    async def _obey(self, lane: Lane) -> None:
        if self._again in self.words and not self._panicked:
            word, self._again = self._again, ""
            await self.face.wear(lane, word, self.words.get(word), self._now())
        for order in self.orders:
            self._last_sound = now = self._now()  # the face shows as long as one that came with words
            await self.orders.carry_out(lane, order, self.words, now)
            self._changed()

    async def _pause(self, sent: float) -> None:
        """Until the next mouth shape, or until something is to be done."""
        now = self._now()
        if self.timeline.speaking(now) or not self._mouth.at_rest or not self._sway.at_rest:
            delay_s = self._stepped + 1 / self._settings.rate_hz - now
        else:
            due = [sent + HEARTBEAT_S - now, self.face.next_s(now), self._rest_due_s(now)]
            if self._settings.blink:
                due.append(self._blink.due_s(now) or 1 / self._settings.rate_hz)
            delay_s = min(one for one in due if one is not None)
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, delay_s)):
                await self._wake.wait()
        self._wake.clear()

    def _feel(self, trouble: str) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

    def _answer_panics(self, detail: str) -> None:
        while self._pressed:
            panic, received = self._pressed.popleft()
            self._confirm(panic, self._now() - received, detail)

    def _end(self) -> None:
        """The connection is gone: VTube Studio lets go of the mouth by itself, after a second."""
        self._mouth.close()
        self._answer_panics("the connection to VTube Studio is gone: it lets go of the mouth by itself")
        self.orders.drop("vts_closed", "VTube Studio went away before it answered.")
