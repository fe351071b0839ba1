"""The operator's orders to OBS, and the last that was heard of it."""

import asyncio
from collections.abc import Callable

from kitsu.errors import GateError, KitsuError
from kitsu.protocol import (
    STAGE,
    Approved,
    Message,
    ObsOutcome,
    ObsReset,
    ObsRestore,
    ObsRun,
    ObsSetUp,
    ObsState,
    ObsSwitch,
    ObsText,
    ObsWrite,
)
from kitsu.safety import Judge
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.services import absence
from kitsu_orchestrator.verdicts import Judged

ANSWER_S = 10.0
"""For OBS's own word, and some more: its worker gives up first, and says why."""

TEXT_TURN = "obs"
"""The `turn_id` under which text for OBS is sealed: it belongs to no turn."""

SAFE_TEXT = "Back in a moment"


class ObsDesk:
    """Passes orders on and waits for what became of them."""

    def __init__(self, hub: Hub) -> None:
        self.state: ObsState | None = None
        self.judge: Judge
        self.note: Callable[[Judged], None] = lambda judged: None  # for the record of verdicts
        self._hub = hub
        self._waiting: dict[str, asyncio.Future[ObsOutcome]] = {}

    async def switch(self, scene: str) -> ObsOutcome:
        """Another scene on air; returns when OBS says that it is.

        Raises:
            KitsuError: as `order`.
        """
        return await self.order(ObsSwitch(scene=scene))

    async def run(self, preset: str) -> ObsOutcome:
        """A preset. Its texts pass the gate first.

        Raises:
            KitsuError: as `order`; GateError: as `approve`.
        """
        listed = self.state.presets if self.state else ()
        texts = next((one.texts for one in listed if one.name == preset), ())
        return await self.order(ObsRun(preset=preset, texts=tuple([await self.approve(text) for text in texts])))

    async def write(self, name: str, text: str) -> ObsOutcome:
        """Text into a text source, if the gate lets it.

        Raises:
            KitsuError: as `order`; GateError: as `approve`.
        """
        return await self.order(ObsWrite(input=name, text=await self.approve(text)))

    async def reset(self) -> ObsOutcome:
        """A new connection to OBS. Raises like `order`."""
        return await self.order(ObsReset())

    async def restore(self) -> ObsOutcome:
        """Leave the safe scene that OBS went to while we were gone. Raises like `order`."""
        return await self.order(ObsRestore())

    async def set_up(self, *, apply: bool, overlay_url: str) -> ObsOutcome:
        """What Kitsu needs in OBS: planned, or made. Raises like `run`."""
        safe_text = await self.approve(SAFE_TEXT)
        return await self.order(ObsSetUp(apply=apply, overlay_url=overlay_url, safe_text=safe_text))

    async def order(self, order: Message) -> ObsOutcome:
        """One order.

        Raises:
            KitsuError: `obs_missing`, `obs_not_configured`, `obs_timeout`, or the worker's own code.
        """
        answer: asyncio.Future[ObsOutcome] = asyncio.get_running_loop().create_future()
        self._waiting[order.id] = answer
        try:
            if not self._hub.send("obs", order):
                raise absence("obs")
            async with asyncio.timeout(ANSWER_S):
                outcome = await answer
        except TimeoutError:
            raise KitsuError("obs_timeout", f"OBS gave no word within {ANSWER_S:g} s.", retryable=True) from None
        finally:
            del self._waiting[order.id]
        if outcome.code:
            raise KitsuError(outcome.code, outcome.message)
        return outcome

    def answered(self, outcome: ObsOutcome) -> None:
        """The worker's word."""
        waiting = self._waiting.get(outcome.parent_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(outcome)

    def left(self) -> None:
        """The worker is gone: nobody answers any more."""
        self.state = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(ObsOutcome(code="obs_missing", message="OBS's worker ended; it is restarted."))

    async def approve(self, text: str) -> Approved[ObsText]:
        """The gate's seal on a text for OBS.

        Raises:
            GateError: `blocked`, or there was no verdict.
        """
        verdict = await self.judge.judge_obs_text(text, turn_id=TEXT_TURN)
        self.note(Judged(TEXT_TURN, STAGE, "output", "obs_text", verdict.why, verdict.judged))
        if verdict.text is None:
            raise GateError("blocked", "The gate does not let this text out.")
        return verdict.text
