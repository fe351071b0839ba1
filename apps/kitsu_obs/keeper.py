"""Keeps OBS where it must be: on the safe scene for as long as something asks for that, and back to what was before.

What is wanted is a level. It is done again whenever OBS comes back or changes, and a newer wish never waits for the
proof of an older one.
"""

import asyncio
import time
from typing import Protocol

from kitsu.errors import EngineError
from kitsu.protocol import Held, Panic
from kitsu.telemetry import Latency, log
from kitsu_obs.hold import Hold, missing, proof, safe_steps
from kitsu_obs.link import ObsLink
from kitsu_obs.performing import Performance, ask_for, watched
from kitsu_obs.picture import Picture
from kitsu_obs.presets import PanicPlan

EVENTS_WITHIN_S = 0.4
"""A cut's events come within 50 ms. When they do not, OBS is asked how it is."""
RETRY_S = 1.0
LONGEST_TRANSITION_S = 20.0  # OBS's own limit; the way back is by the transition that the user has chosen


class Reports(Protocol):
    """What the keeper tells; implemented by the worker."""

    def confirmed(self, panic: Panic, latency_ms: float, detail: str) -> None: ...
    def unconfirmed(self, panic: Panic, detail: str) -> None: ...
    def failed(self, error: EngineError) -> None: ...
    def held_changed(self) -> None: ...


class Keeper:
    """One wish at a time: "panic", "alone" or none."""

    def __init__(
        self, link: ObsLink, picture: Picture, hold: Hold, plan: PanicPlan, safe_scene: str, timeout_s: float
    ) -> None:
        self.wanted: Held = hold.why
        self.panic: Panic | None = None  # the one that shall be confirmed
        self.latency = Latency()
        self._received = 0.0
        self._link = link
        self._picture = picture
        self._hold = hold
        self._plan = plan
        self._safe_scene = safe_scene
        self._timeout_s = timeout_s
        self._again = asyncio.Event()
        self._acting = False  # on what is wanted, right now

    @property
    def held(self) -> Held:
        """What holds OBS now; a wish that could not be fulfilled yet counts."""
        return self.wanted or self._hold.why

    def press(self, panic: Panic) -> None:
        """A panic: at once. Hub and launcher both tell of it; who comes second does not begin it anew.

        In the middle of a transition OBS swallows the events that would prove the second round.
        """
        if self._acting and self.panic is not None and self.panic.panic_id == panic.panic_id:
            return
        self._received = time.perf_counter()
        self.panic, self.wanted = panic, "panic"
        self._again.set()

    def alone(self) -> None:
        """The hub is gone: safe scene, until the operator says otherwise."""
        if not self.wanted:
            self.wanted = "alone"
            self._again.set()

    def release(self) -> None:
        """Back to what was before."""
        self.panic, self.wanted = None, ""
        self._again.set()

    def poke(self) -> None:
        """OBS came back or looks different: see to it that it is as wanted."""
        if self.held:
            self._again.set()

    async def run(self, reports: Reports) -> None:
        """Work until cancelled."""
        while True:
            await self._again.wait()
            self._again.clear()
            reports.held_changed()
            self._acting = True
            try:
                await (self._keep(reports) if self.wanted else self._let_go(reports))
            except EngineError as error:
                self._not_done(error, reports)
            finally:
                self._acting = False
            reports.held_changed()

    async def _keep(self, reports: Reports) -> None:
        panic, received = self.panic, self._received
        self._hold.begin(self.wanted)
        performance = await self._make_safe(EVENTS_WITHIN_S)
        if any(result.open for result in performance.results) and not self._again.is_set():
            performance = await self._make_safe(self._timeout_s)  # OBS swallows events in the middle of a transition
        lacks = missing(performance)
        if lacks:
            raise EngineError("obs_not_safe", lacks, retryable=True)
        if panic is not None and panic is self.panic:
            latency_ms = max(0.0, (performance.began - received) * 1000 + performance.last_ms)
            self.latency.add(latency_ms)
            reports.confirmed(panic, latency_ms, proof(performance, self._safe_scene))

    async def _make_safe(self, timeout_s: float) -> Performance:
        """Ask for the macro, note the way back, wait for the events."""
        with watched(self._link, safe_steps(self._picture, self._plan, self._safe_scene)) as performance:
            try:
                await ask_for(self._link, performance, self._timeout_s)
            except EngineError:
                self._hold.presume(self._picture, self._safe_scene)  # it may be done later, when OBS thaws
                raise
            finally:
                self._hold.note(performance)
                await self._save()
            await self._proven(performance, timeout_s)
        return performance

    async def _let_go(self, reports: Reports) -> None:
        if not self._hold.why:
            return
        with watched(self._link, self._hold.way_back()) as performance:
            await ask_for(self._link, performance, self._timeout_s)
            await self._proven(performance, self._timeout_s + LONGEST_TRANSITION_S)
        if self.wanted:
            return  # meanwhile something wants it held again, and the way back is still needed
        self._hold.end()
        await self._save()
        if lacks := missing(performance):
            reports.failed(EngineError("obs_not_restored", f"OBS is not quite as it was before: {lacks}"))

    async def _proven(self, performance: Performance, timeout_s: float) -> None:
        """Wait for OBS's events, unless something else is wanted by now."""
        proof = asyncio.ensure_future(performance.proven(timeout_s))
        other = asyncio.ensure_future(self._again.wait())
        try:
            await asyncio.wait({proof, other}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            proof.cancel()
            other.cancel()

    async def _save(self) -> None:
        try:
            await asyncio.to_thread(self._hold.write)
        except OSError as error:
            log.error("obs.hold_not_saved", error=str(error))

    def _not_done(self, error: EngineError, reports: Reports) -> None:
        if self._again.is_set():
            return  # something newer is wanted; its own end will be told
        if error.code == "obs_timeout":  # a hang that was too short for the link to notice
            asyncio.get_running_loop().call_later(RETRY_S, self.poke)
        if self.panic is not None:
            reports.unconfirmed(self.panic, error.message)
        elif self.wanted:
            reports.failed(EngineError("obs_not_safe", f"OBS is not on the safe scene: {error.message}"))
