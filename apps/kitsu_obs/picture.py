"""What OBS looks like now: asked once after sign-in, kept true by its events."""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Protocol

from kitsu.errors import EngineError
from kitsu.protocol import ObsInput
from kitsu_obs.connection import Event, result_of
from kitsu_obs.steps import Json, ask

CUT = "cut_transition"
MAX_NAMES = 500
ODD = "OBS answered in an unknown form."

RELOOK = frozenset(
    {
        "SceneListChanged",
        "SceneNameChanged",
        "CurrentSceneCollectionChanged",
        "CurrentProfileChanged",
        "InputCreated",
        "InputRemoved",
        "InputNameChanged",
    }
)
"""Events after which everything is asked anew."""


class Asker(Protocol):
    """What looking needs of `ObsLink`."""

    async def request(self, kind: str, *, timeout_s: float, **data: Any) -> Json: ...
    async def batch(self, requests: list[Json], timeout_s: float) -> list[Json]: ...


class Picture:
    """Scenes, inputs, outputs. Empty before the first look."""

    def __init__(self) -> None:
        self.version = ""
        self.scene = ""
        self.scenes: tuple[str, ...] = ()
        self.inputs: dict[str, ObsInput] = {}  # those that have sound
        self.cut = ""  # what this OBS calls its transition of kind "cut"
        self.outputs = {"Record": False, "Stream": False}

    async def look(self, link: Asker, timeout_s: float) -> None:
        """Ask for everything.

        Raises:
            EngineError: as `ObsLink`; `obs_odd` when the answers cannot be read.
        """
        answers = await link.batch(
            [
                ask("GetVersion"),
                ask("GetSceneList"),
                ask("GetInputList"),
                ask("GetSpecialInputs"),
                ask("GetSceneTransitionList"),
                ask("GetRecordStatus"),
                ask("GetStreamStatus"),
            ],
            timeout_s,
        )
        version, scenes, inputs, special, transitions, record, stream = (
            result_of(str(one.get("requestType")), one) for one in answers
        )
        try:
            self.version = f"{version['obsVersion']}, websocket {version['obsWebSocketVersion']}"[:60]
            self.scenes = tuple(str(one["sceneName"]) for one in reversed(scenes["scenes"]))[:MAX_NAMES]
            self.scene = str(scenes["currentProgramSceneName"] or "")
            kinds = {one["transitionKind"]: str(one["transitionName"]) for one in transitions["transitions"]}
            self.outputs = {"Record": record["outputActive"], "Stream": stream["outputActive"]}
            named = [str(one["inputName"]) for one in inputs["inputs"]]
        except (KeyError, TypeError):
            raise EngineError("obs_odd", ODD) from None
        self.cut = kinds.get(CUT, "")
        await self._look_at_sound(link, dict.fromkeys([*named, *map(str, filter(None, special.values()))]), timeout_s)

    async def _look_at_sound(self, link: Asker, names: dict[str, None], timeout_s: float) -> None:
        """Only an input that has sound can say whether it is muted."""
        asked = list(names)[:MAX_NAMES]
        requests = [ask(kind, inputName=name) for name in asked for kind in ("GetInputMute", "GetInputVolume")]
        answers = await link.batch(requests, timeout_s) if requests else []
        self.inputs = {}
        for name, mute, volume in zip(asked, answers[::2], answers[1::2], strict=True):
            try:
                muted = bool(result_of("GetInputMute", mute)["inputMuted"])
                level = float(result_of("GetInputVolume", volume)["inputVolumeDb"])
            except (EngineError, KeyError, TypeError, ValueError):
                continue
            self.inputs[name] = ObsInput(name=name, muted=muted, volume_db=round(level, 1))

    def see(self, event: Event) -> bool:
        """Take an event in. True: something that people see has changed."""
        change = _CHANGES.get(event.name)
        return change is not None and change(self, event.data)

    def named(self, wanted: str) -> str | None:
        """The scene that is meant: the name itself, or the only one that is the same but for case and spaces."""
        if wanted in self.scenes:
            return wanted
        alike = [scene for scene in self.scenes if _plain(scene) == _plain(wanted)]
        return alike[0] if len(alike) == 1 else None

    def suggestion(self, wanted: str) -> str:
        """What to say when there is no such scene."""
        plain = {_plain(scene): scene for scene in self.scenes}
        close = get_close_matches(_plain(wanted), plain, n=1, cutoff=0.5)
        if close:
            return f"There is no scene {wanted!r}. Did you mean {plain[close[0]]!r}?"
        listed = ", ".join(self.scenes[:12]) or "none at all"
        return f"There is no scene {wanted!r}. There are: {listed}."

    def _on_scene(self, data: Json) -> bool:
        before, self.scene = self.scene, str(data.get("sceneName", ""))
        return before != self.scene

    def _on_mute(self, data: Json) -> bool:
        known = self.inputs.get(str(data.get("inputName")))
        if known is None:
            return False
        self.inputs[known.name] = ObsInput(
            name=known.name, muted=data.get("inputMuted") is True, volume_db=known.volume_db
        )
        return True

    def _on_volume(self, data: Json) -> bool:
        known, level = self.inputs.get(str(data.get("inputName"))), data.get("inputVolumeDb")
        if known is None or not isinstance(level, int | float):
            return False
        self.inputs[known.name] = ObsInput(name=known.name, muted=known.muted, volume_db=round(level, 1))
        return True

    def _on_output(self, kind: str, data: Json) -> bool:
        before, self.outputs[kind] = self.outputs[kind], data.get("outputActive") is True
        return before != self.outputs[kind]


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


_CHANGES: dict[str, Callable[[Picture, Json], bool]] = {
    "CurrentProgramSceneChanged": Picture._on_scene,
    "InputMuteStateChanged": Picture._on_mute,
    "InputVolumeChanged": Picture._on_volume,
    "RecordStateChanged": lambda picture, data: picture._on_output("Record", data),
    "StreamStateChanged": lambda picture, data: picture._on_output("Stream", data),
}
