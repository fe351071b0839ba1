"""What Kitsu needs in the user's OBS, made where it is missing. What is there stays as it is."""

from dataclasses import dataclass
from typing import Any, Protocol

from kitsu.errors import EngineError
from kitsu.protocol import ObsStep
from kitsu_obs.config import ObsSettings
from kitsu_obs.connection import result_of
from kitsu_obs.steps import Json, ask

SHOW_SCENE = "Kitsu"
OVERLAY = "Kitsu Overlay"
SAFE_TEXT = "Kitsu Safe Text"
BROWSER_KINDS = ("browser_source",)
TEXT_KINDS = ("text_gdiplus_v3", "text_gdiplus_v2", "text_ft2_source_v2")
FONT = {"face": "Sans Serif", "size": 64, "style": "Bold", "flags": 0}


class Asker(Protocol):
    """What furnishing needs of `ObsLink`."""

    async def request(self, kind: str, *, timeout_s: float, **data: Any) -> Json: ...
    async def batch(self, requests: list[Json], timeout_s: float) -> list[Json]: ...


@dataclass(frozen=True, slots=True)
class Input:
    """A source that should stand in a scene."""

    scene: str
    name: str
    kinds: tuple[str, ...]  # the first that this OBS knows is taken
    settings: Json


@dataclass(frozen=True, slots=True)
class Room:
    """What OBS has."""

    scenes: frozenset[str]
    inputs: frozenset[str]
    kinds: frozenset[str]
    items: dict[str, frozenset[str]]  # scene -> sources in it
    overlay_url: str


class Furnishing:
    """One look at OBS, and what is missing."""

    def __init__(self, link: Asker, settings: ObsSettings, *, overlay_url: str, safe_text: str) -> None:
        self._link = link
        self._timeout_s = settings.timeout_s
        self._url = overlay_url
        self._scenes = (SHOW_SCENE, settings.safe_scene)
        self._inputs = [
            Input(settings.safe_scene, SAFE_TEXT, TEXT_KINDS, {"text": safe_text, "font": FONT}),
            *(Input(SHOW_SCENE, name, TEXT_KINDS, {"text": "", "font": FONT}) for name in _text_inputs(settings)),
        ]
        if overlay_url:
            page = {"url": overlay_url, "width": 1920, "height": 1080, "reroute_audio": True}
            self._inputs.insert(1, Input(SHOW_SCENE, OVERLAY, BROWSER_KINDS, page))

    async def furnish(self, *, apply: bool) -> tuple[ObsStep, ...]:
        """The plan; with `apply` it is carried out, and looked at again.

        Raises:
            EngineError: OBS is not there, or answers in an unknown form.
        """
        room = await self._look()
        plan = self._plan(room)
        if not apply:
            return tuple(step for step, _requests in plan)
        errors: dict[str, str] = {}
        for step, requests in plan:
            for request in requests:
                try:
                    await self._link.request(
                        request["requestType"], timeout_s=self._timeout_s, **request["requestData"]
                    )
                except EngineError as error:
                    errors[step.step] = error.message
        left = {step.step for step, requests in self._plan(await self._look()) if requests}
        return tuple(_told(step, step.step in left, errors.get(step.step, "")) for step, _requests in plan)

    async def _look(self) -> Room:
        try:
            return await self._room()
        except (KeyError, TypeError, AttributeError):
            raise EngineError("obs_odd", "OBS answered in an unknown form.") from None

    async def _room(self) -> Room:
        first = await self._answers([ask("GetSceneList"), ask("GetInputList"), ask("GetInputKindList")])
        scenes, inputs, kinds = first
        names = [name for name in self._scenes if name in {one["sceneName"] for one in scenes["scenes"]}]
        has_overlay = any(one["inputName"] == OVERLAY for one in inputs["inputs"])
        more = [ask("GetSceneItemList", sceneName=name) for name in names]
        more += [ask("GetInputSettings", inputName=OVERLAY)] if has_overlay else []
        answers = await self._answers(more)
        items = {
            name: frozenset(str(item["sourceName"]) for item in answer["sceneItems"])
            for name, answer in zip(names, answers, strict=False)
        }
        url = answers[-1]["inputSettings"].get("url", "") if has_overlay else ""
        return Room(
            frozenset(str(one["sceneName"]) for one in scenes["scenes"]),
            frozenset(str(one["inputName"]) for one in inputs["inputs"]),
            frozenset(map(str, kinds["inputKinds"])),
            items,
            str(url),
        )

    async def _answers(self, requests: list[Json]) -> list[Json]:
        answers = await self._link.batch(requests, self._timeout_s) if requests else []
        return [result_of(str(one.get("requestType")), one) for one in answers]

    def _plan(self, room: Room) -> list[tuple[ObsStep, list[Json]]]:
        plan = [self._scene(room, name) for name in self._scenes]
        plan += [self._input(room, wanted) for wanted in self._inputs]
        if self._url and OVERLAY in room.inputs and room.overlay_url != self._url:
            title = f"address of {OVERLAY}"
            change = ask("SetInputSettings", inputName=OVERLAY, inputSettings={"url": self._url})
            plan.append((ObsStep(step=title, state="planned", detail="it shows an old address"), [change]))
        return plan

    def _scene(self, room: Room, name: str) -> tuple[ObsStep, list[Json]]:
        title = f"scene {name}"
        if name in room.scenes:
            return ObsStep(step=title, state="already"), []
        return ObsStep(step=title, state="planned"), [ask("CreateScene", sceneName=name)]

    def _input(self, room: Room, wanted: Input) -> tuple[ObsStep, list[Json]]:
        title = f"source {wanted.name} in {wanted.scene}"
        if wanted.name in room.items.get(wanted.scene, ()):
            return ObsStep(step=title, state="already"), []
        if wanted.name in room.inputs:
            add = ask("CreateSceneItem", sceneName=wanted.scene, sourceName=wanted.name)
            return ObsStep(step=title, state="planned", detail="it exists, and is added to the scene"), [add]
        kind = next((kind for kind in wanted.kinds if kind in room.kinds), None)
        if kind is None:
            why = f"this OBS has no source of kind {' or '.join(wanted.kinds)}"
            return ObsStep(step=title, state="skipped", detail=why), []
        make = ask(
            "CreateInput",
            sceneName=wanted.scene,
            inputName=wanted.name,
            inputKind=kind,
            inputSettings=wanted.settings,
            sceneItemEnabled=True,
        )
        return ObsStep(step=title, state="planned", detail=kind), [make]


def _text_inputs(settings: ObsSettings) -> list[str]:
    return [name for name in (settings.answering_input, settings.caption_input) if name]


def _told(step: ObsStep, left: bool, error: str) -> ObsStep:
    """A planned step, after it was tried and looked for."""
    if step.state != "planned":
        return step
    if left or error:
        return ObsStep(step=step.step, state="failed", detail=error or "it is still not there")
    return ObsStep(step=step.step, state="done", detail=step.detail, confirmed_by="query")
