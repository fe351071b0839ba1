"""What can be done to OBS: each step knows how to look, whether it is so already, what to ask for, what proves it, and
how to take it back. Presets, the panic macro and its restoration are all made of these.
"""

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

Json = dict[str, Any]
Name = Annotated[str, Meta(min_length=1, max_length=200)]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="do"):
    """Base of all steps. The default is a step that can only be asked for."""

    proof: ClassVar[str] = ""  # name of the event that proves it; empty: OBS sends none

    @property
    def title(self) -> str:
        """For people."""
        raise NotImplementedError

    def look(self) -> list[Json]:
        """Requests of which the last one shows how it is now."""
        return []

    def is_so(self, seen: Json) -> bool:
        """Whether nothing has to be done."""
        return False

    def change(self) -> list[Json]:
        """Requests that make it so."""
        raise NotImplementedError

    def proven_by(self, data: Json) -> bool:
        """Whether the event of the name `proof` is about this step."""
        raise NotImplementedError

    def undo(self, seen: Json) -> "AnyStep | None":
        """The step that makes it again as it was seen."""
        return None


class Scene(Step, frozen=True, kw_only=True, tag="scene"):
    """This scene on air."""

    scene: Name
    proof: ClassVar[str] = "CurrentProgramSceneChanged"

    @property
    def title(self) -> str:
        return f"scene {self.scene}"

    def look(self) -> list[Json]:
        return [ask("GetCurrentProgramScene")]

    def is_so(self, seen: Json) -> bool:
        return seen.get("currentProgramSceneName") == self.scene

    def change(self) -> list[Json]:
        return [ask("SetCurrentProgramScene", sceneName=self.scene)]

    def proven_by(self, data: Json) -> bool:
        return data.get("sceneName") == self.scene

    def undo(self, seen: Json) -> "AnyStep | None":
        before = seen.get("currentProgramSceneName")
        return Scene(scene=before) if before else None


class Transition(Step, frozen=True, kw_only=True, tag="transition"):
    """How scenes change from now on."""

    transition: Name
    duration_ms: Annotated[int, Meta(ge=50, le=20_000)] | None = None  # None: as it is, or fixed
    proof: ClassVar[str] = "CurrentSceneTransitionChanged"

    @property
    def title(self) -> str:
        return f"transition {self.transition}"

    def look(self) -> list[Json]:
        return [ask("GetCurrentSceneTransition")]

    def is_so(self, seen: Json) -> bool:
        same_time = self.duration_ms in (None, seen.get("transitionDuration"))
        return seen.get("transitionName") == self.transition and same_time

    def change(self) -> list[Json]:
        longer = [ask("SetCurrentSceneTransitionDuration", transitionDuration=self.duration_ms)]
        return [
            ask("SetCurrentSceneTransition", transitionName=self.transition),
            *(longer if self.duration_ms is not None else []),
        ]

    def proven_by(self, data: Json) -> bool:
        return data.get("transitionName") == self.transition

    def undo(self, seen: Json) -> "AnyStep | None":
        if not seen.get("transitionName"):
            return None
        return Transition(transition=seen["transitionName"], duration_ms=seen.get("transitionDuration"))


class Override(Step, frozen=True, kw_only=True, tag="override"):
    """The transition that one scene always comes with, whatever is chosen for the others (empty: none of its own).

    For a cut at once this is the safe way: a chosen transition that is changed while one is running leaves OBS with
    another scene on air than it believes.
    """

    scene: Name
    transition: str = ""
    duration_ms: int | None = None

    @property
    def title(self) -> str:
        return f"{self.scene} comes by {self.transition or 'the usual transition'}"

    def look(self) -> list[Json]:
        return [ask("GetSceneSceneTransitionOverride", sceneName=self.scene)]

    def is_so(self, seen: Json) -> bool:
        return (seen.get("transitionName") or "") == self.transition

    def change(self) -> list[Json]:
        name = self.transition or None
        kind = "SetSceneSceneTransitionOverride"
        return [ask(kind, sceneName=self.scene, transitionName=name, transitionDuration=self.duration_ms)]

    def undo(self, seen: Json) -> "AnyStep | None":
        before = seen.get("transitionName") or ""
        return Override(scene=self.scene, transition=before, duration_ms=seen.get("transitionDuration"))


class Mute(Step, frozen=True, kw_only=True, tag="mute"):
    """An input's sound off, or on again."""

    input: Name
    on: bool = True
    proof: ClassVar[str] = "InputMuteStateChanged"

    @property
    def title(self) -> str:
        return f"{'mute' if self.on else 'unmute'} {self.input}"

    def look(self) -> list[Json]:
        return [ask("GetInputMute", inputName=self.input)]

    def is_so(self, seen: Json) -> bool:
        return seen.get("inputMuted") is self.on

    def change(self) -> list[Json]:
        return [ask("SetInputMute", inputName=self.input, inputMuted=self.on)]

    def proven_by(self, data: Json) -> bool:
        return data.get("inputName") == self.input and data.get("inputMuted") is self.on

    def undo(self, seen: Json) -> "AnyStep | None":
        return Mute(input=self.input, on=bool(seen.get("inputMuted")))


class Volume(Step, frozen=True, kw_only=True, tag="volume"):
    """How loud an input is."""

    input: Name
    db: Annotated[float, Meta(ge=-100, le=26)]
    proof: ClassVar[str] = "InputVolumeChanged"

    @property
    def title(self) -> str:
        return f"volume of {self.input} {self.db:g} dB"

    def look(self) -> list[Json]:
        return [ask("GetInputVolume", inputName=self.input)]

    def is_so(self, seen: Json) -> bool:
        return abs(float(seen.get("inputVolumeDb", 1e9)) - self.db) < 0.01

    def change(self) -> list[Json]:
        return [ask("SetInputVolume", inputName=self.input, inputVolumeDb=self.db)]

    def proven_by(self, data: Json) -> bool:
        return data.get("inputName") == self.input

    def undo(self, seen: Json) -> "AnyStep | None":
        return Volume(input=self.input, db=float(seen.get("inputVolumeDb", 0.0)))


class Show(Step, frozen=True, kw_only=True, tag="show"):
    """A source of a scene visible, or hidden (`on: false`)."""

    scene: Name
    source: Name
    on: bool = True
    proof: ClassVar[str] = "SceneItemEnableStateChanged"

    @property
    def title(self) -> str:
        return f"{'show' if self.on else 'hide'} {self.source} in {self.scene}"

    def look(self) -> list[Json]:
        found = ask("GetSceneItemId", sceneName=self.scene, sourceName=self.source)
        return [
            found | {"outputVariables": {self._item: "sceneItemId"}},
            ask("GetSceneItemEnabled", sceneName=self.scene) | {"inputVariables": {"sceneItemId": self._item}},
        ]

    def is_so(self, seen: Json) -> bool:
        return seen.get("sceneItemEnabled") is self.on

    def change(self) -> list[Json]:
        change = ask("SetSceneItemEnabled", sceneName=self.scene, sceneItemEnabled=self.on)
        return [change | {"inputVariables": {"sceneItemId": self._item}}]

    def proven_by(self, data: Json) -> bool:
        return data.get("sceneName") == self.scene and data.get("sceneItemEnabled") is self.on

    def undo(self, seen: Json) -> "AnyStep | None":
        return Show(scene=self.scene, source=self.source, on=bool(seen.get("sceneItemEnabled")))

    @property
    def _item(self) -> str:
        """Name of the batch's variable for the item's number."""
        return f"item {self.scene} {self.source}"


class Filter(Step, frozen=True, kw_only=True, tag="filter"):
    """A filter of a source on, or off."""

    source: Name
    filter: Name
    on: bool = True
    proof: ClassVar[str] = "SourceFilterEnableStateChanged"

    @property
    def title(self) -> str:
        return f"filter {self.filter} of {self.source} {'on' if self.on else 'off'}"

    def look(self) -> list[Json]:
        return [ask("GetSourceFilter", sourceName=self.source, filterName=self.filter)]

    def is_so(self, seen: Json) -> bool:
        return seen.get("filterEnabled") is self.on

    def change(self) -> list[Json]:
        return [ask("SetSourceFilterEnabled", sourceName=self.source, filterName=self.filter, filterEnabled=self.on)]

    def proven_by(self, data: Json) -> bool:
        same = (data.get("sourceName"), data.get("filterName")) == (self.source, self.filter)
        return same and data.get("filterEnabled") is self.on

    def undo(self, seen: Json) -> "AnyStep | None":
        return Filter(source=self.source, filter=self.filter, on=bool(seen.get("filterEnabled")))


class Text(Step, frozen=True, kw_only=True, tag="text"):
    """What a text source says. The words must have passed the gate."""

    input: Name
    text: Annotated[str, Meta(max_length=500)]

    @property
    def title(self) -> str:
        return f"text of {self.input}"

    def look(self) -> list[Json]:
        return [ask("GetInputSettings", inputName=self.input)]

    def is_so(self, seen: Json) -> bool:
        settings = seen.get("inputSettings")
        return isinstance(settings, dict) and settings.get("text") == self.text

    def change(self) -> list[Json]:
        return [ask("SetInputSettings", inputName=self.input, inputSettings={"text": self.text})]


class Media(Step, frozen=True, kw_only=True, tag="media"):
    """Play, pause, stop or restart a media source."""

    input: Name
    action: Literal["play", "pause", "stop", "restart", "next", "previous"]
    proof: ClassVar[str] = "MediaInputActionTriggered"

    @property
    def title(self) -> str:
        return f"{self.action} {self.input}"

    def change(self) -> list[Json]:
        return [ask("TriggerMediaInputAction", inputName=self.input, mediaAction=self._action)]

    def proven_by(self, data: Json) -> bool:
        return data.get("inputName") == self.input and data.get("mediaAction") == self._action

    @property
    def _action(self) -> str:
        return f"OBS_WEBSOCKET_MEDIA_INPUT_ACTION_{self.action.upper()}"


class Record(Step, frozen=True, kw_only=True, tag="record"):
    """Recording started, or stopped (`on: false`)."""

    on: bool = True
    proof: ClassVar[str] = "RecordStateChanged"
    output: ClassVar[str] = "Record"

    @property
    def title(self) -> str:
        return f"{'start' if self.on else 'stop'} {'recording' if self.output == 'Record' else 'streaming'}"

    def look(self) -> list[Json]:
        return [ask(f"Get{self.output}Status")]

    def is_so(self, seen: Json) -> bool:
        return seen.get("outputActive") is self.on

    def change(self) -> list[Json]:
        return [ask(f"{'Start' if self.on else 'Stop'}{self.output}")]

    def proven_by(self, data: Json) -> bool:
        return data.get("outputState") == f"OBS_WEBSOCKET_OUTPUT_{'STARTED' if self.on else 'STOPPED'}"

    def undo(self, seen: Json) -> "AnyStep | None":
        return type(self)(on=bool(seen.get("outputActive")))


class Stream(Record, frozen=True, kw_only=True, tag="stream"):
    """The live stream started, or stopped (`on: false`)."""

    proof: ClassVar[str] = "StreamStateChanged"
    output: ClassVar[str] = "Stream"


AnyStep = Scene | Transition | Override | Mute | Volume | Show | Filter | Text | Media | Record | Stream


def ask(kind: str, **data: Any) -> Json:
    """One request, as a batch wants it."""
    return {"requestType": kind, "requestData": data}
