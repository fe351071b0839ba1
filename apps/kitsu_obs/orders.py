"""The operator's orders, each done and proven, or refused with the reason."""

import time
from typing import assert_never

from kitsu.errors import EngineError
from kitsu.protocol import (
    Approved,
    ObsOutcome,
    ObsReset,
    ObsRestore,
    ObsRun,
    ObsSetUp,
    ObsSwitch,
    ObsText,
    ObsWrite,
    checked,
)
from kitsu.telemetry import Latency
from kitsu_obs.config import ObsSettings
from kitsu_obs.furnishing import Furnishing
from kitsu_obs.keeper import Keeper
from kitsu_obs.link import ObsLink
from kitsu_obs.performing import Performance, perform
from kitsu_obs.picture import Picture
from kitsu_obs.presets import ObsFile, texts
from kitsu_obs.steps import AnyStep, Scene, Text

TEXT_TURN = "obs"
"""The `turn_id` under which text for OBS is sealed: it belongs to no turn."""


class Orders:
    """What the hub may ask for."""

    def __init__(self, link: ObsLink, picture: Picture, keeper: Keeper, file: ObsFile, settings: ObsSettings) -> None:
        self.latency = Latency()  # of scenes
        self._link = link
        self._picture = picture
        self._keeper = keeper
        self._file = file
        self._settings = settings

    async def do(
        self, order: ObsSwitch | ObsRun | ObsWrite | ObsReset | ObsRestore | ObsSetUp, key: bytes
    ) -> ObsOutcome:
        """One order.

        Raises:
            EngineError: why it was not done.
            ProtocolError: `bad_seal`.
        """
        match order:
            case ObsReset():
                self._link.reset()
                return ObsOutcome()
            case ObsRestore():
                return self._restore()
            case ObsSwitch(scene=scene):
                return await self._switch(scene)
            case ObsRun():
                return await self._run(order, key)
            case ObsWrite(input=name, text=text):
                return await self._perform([Text(input=name, text=_unsealed(text, key))])
            case ObsSetUp():
                self._refuse_while_held()
                safe = _unsealed(order.safe_text, key) if order.safe_text else ""
                furnishing = Furnishing(self._link, self._settings, overlay_url=order.overlay_url, safe_text=safe)
                return ObsOutcome(steps=await furnishing.furnish(apply=order.apply))
        assert_never(order)

    def _restore(self) -> ObsOutcome:
        if self._keeper.held == "panic":
            raise EngineError("obs_held", "A panic holds OBS on the safe scene; resume ends it.")
        self._keeper.release()
        return ObsOutcome()

    async def _switch(self, wanted: str) -> ObsOutcome:
        self._refuse_while_held()
        scene = self._picture.named(wanted)
        if scene is None and self._link.trouble is None:
            raise EngineError("no_such_scene", self._picture.suggestion(wanted))
        began = time.perf_counter()
        outcome = await self._perform([Scene(scene=scene or wanted)])
        self.latency.add((time.perf_counter() - began) * 1000)
        return outcome

    async def _run(self, order: ObsRun, key: bytes) -> ObsOutcome:
        self._refuse_while_held()
        steps = self._file.presets.get(order.preset)
        if steps is None:
            listed = ", ".join(self._file.presets) or "none; they stand in configs/obs.yaml"
            raise EngineError("no_such_preset", f"There is no preset {order.preset!r}. There are: {listed}.")
        said = tuple(_unsealed(text, key) for text in order.texts)
        if len(said) != len(texts(steps)):
            raise EngineError("bad_seal", "A text of this preset has not passed the gate.")
        return await self._perform(_with_texts(steps, said))

    async def _perform(self, steps: list[AnyStep]) -> ObsOutcome:
        self._refuse_while_held()
        return outcome_of(await perform(self._link, steps, self._settings.timeout_s))

    def _refuse_while_held(self) -> None:
        match self._keeper.held:
            case "panic":
                raise EngineError("obs_held", "A panic holds OBS on the safe scene; resume ends it.")
            case "alone":
                why = "OBS is on the safe scene because the hub was gone. When you are ready: kitsu obs restore"
                raise EngineError("obs_held", why)


def outcome_of(performance: Performance) -> ObsOutcome:
    """What became of it, in words for the hub."""
    steps = tuple(result.told() for result in performance.results)
    bad = [step for step in steps if step.state == "failed"]
    ms = round(performance.last_ms, 1)
    if not bad:
        return ObsOutcome(steps=steps, ms=ms)
    what = "; ".join(f"{step.step}: {step.detail}" for step in bad)
    return ObsOutcome(steps=steps, ms=ms, code="obs_step_failed", message=what[:500])


def _with_texts(steps: tuple[AnyStep, ...], said: tuple[str, ...]) -> list[AnyStep]:
    """The preset with its texts as the gate let them through."""
    words = iter(said)
    return [Text(input=step.input, text=next(words)) if isinstance(step, Text) else step for step in steps]


def _unsealed(text: Approved[ObsText], key: bytes) -> str:
    return checked(text, key, "obs_text", TEXT_TURN)
