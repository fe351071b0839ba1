"""Tracking parameters, and who controls them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.vtube_studio.errors import ApiError, ErrorID

LOST_AFTER_S = 1.0  # README, "Feeding in data": re-send "at least once every second"
MAX_VALUE = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9]{4,32}")
_DEFAULTS = {
    **dict.fromkeys(("FacePositionX", "FacePositionY"), (-15, 15, 0)),
    "FacePositionZ": (-10, 10, 0),
    **dict.fromkeys(("FaceAngleX", "FaceAngleY"), (-30, 30, 0)),
    "FaceAngleZ": (-90, 90, 0),
    **dict.fromkeys(("MouthSmile", "MouthOpen", "Brows", "TongueOut", "CheekPuff", "FaceAngry"), (0, 1, 0)),
    **dict.fromkeys(("BrowLeftY", "BrowRightY"), (0, 1, 0)),
    **dict.fromkeys(("EyeOpenLeft", "EyeOpenRight"), (0, 1, 1)),
    **dict.fromkeys(("EyeLeftX", "EyeLeftY", "EyeRightX", "EyeRightY", "MouthX"), (-1, 1, 0)),
    **dict.fromkeys(("VoiceVolume", "VoiceFrequency", "VoiceVolumePlusMouthOpen"), (0, 1, 0)),
    "VoiceFrequencyPlusMouthSmile": (0, 1, 0),
    **dict.fromkeys(("VoiceA", "VoiceI", "VoiceU", "VoiceE", "VoiceO", "VoiceSilence"), (0, 1, 0)),
}


@dataclass
class Parameter:
    """README, "Requesting list of available tracking parameters"."""

    name: str
    low: float
    high: float
    default: float
    added_by: str = "VTube Studio"
    tracked: float | None = None  # what a camera says; None: nothing tracks it
    injected: float = 0.0
    controller: str = ""
    injected_at: float = field(default=-1e9)


class Parameters:
    """All of them; `now` is a monotonic clock (s)."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.all = {name: Parameter(name, *row) for name, row in _DEFAULTS.items()}

    def value(self, name: str) -> float:
        """README, "Feeding in data": injected while re-sent, then whatever controlled it before, then the default."""
        parameter = self.all[name]
        if self.held(name):
            return parameter.injected
        return parameter.default if parameter.tracked is None else parameter.tracked

    def held(self, name: str) -> bool:
        """Whether a plugin controls it now."""
        parameter = self.all[name]
        return bool(parameter.controller) and self._now() - parameter.injected_at <= LOST_AFTER_S

    def create(self, data: dict[str, Any], plugin: str) -> dict[str, Any]:
        """README, "Adding new tracking parameters"."""
        name = data.get("parameterName")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ApiError(ErrorID.CustomParamNameInvalid, "The parameter name is invalid.")
        if name in _DEFAULTS:
            raise ApiError(ErrorID.CustomParamDefaultParamNameNotAllowed, "That is the name of a default parameter.")
        if len(str(data.get("explanation") or "")) >= 256:
            raise ApiError(ErrorID.CustomParamExplanationTooLong, "The explanation is too long.")
        numbers = [data.get(key) for key in ("min", "max", "defaultValue")]
        if not all(_is_value(number) for number in numbers):
            raise ApiError(ErrorID.CustomParamValuesInvalid, "min, max and defaultValue have to be numbers.")
        self._check_owner(name, plugin)
        low, high, default = (float(number) for number in numbers if number is not None)
        self.all[name] = Parameter(name, low, high, default, plugin)
        return {"parameterName": name}

    def inject(self, data: dict[str, Any], plugin: str) -> dict[str, float]:
        """README, "Feeding in data" and "Controlling one parameter with multiple plugins". All or nothing."""
        mode, rows = data.get("mode") or "set", data.get("parameterValues")
        if mode not in ("set", "add"):
            raise ApiError(ErrorID.InjectDataModeUnknown, "The mode is unknown.")
        if not isinstance(rows, list) or not rows:
            raise ApiError(ErrorID.InjectDataNoDataProvided, "No parameter data was provided.")
        values = dict(self._row(row, mode, plugin) for row in rows)
        for name, value in values.items():
            parameter = self.all[name]
            parameter.injected, parameter.controller, parameter.injected_at = value, plugin, self._now()
        return values

    def forget(self, plugin: str) -> None:
        """README, "Adding new tracking parameters": a revoked plugin's parameters are deleted."""
        self.all = {name: parameter for name, parameter in self.all.items() if parameter.added_by != plugin}

    def listed(self) -> dict[str, list[dict[str, Any]]]:
        """Both lists of `InputParameterListResponse`."""
        rows = [(parameter, self._listed(parameter)) for parameter in self.all.values()]
        return {
            "customParameters": [row for parameter, row in rows if parameter.name not in _DEFAULTS],
            "defaultParameters": [row for parameter, row in rows if parameter.name in _DEFAULTS],
        }

    def _listed(self, parameter: Parameter) -> dict[str, Any]:
        return {
            "name": parameter.name,
            "addedBy": parameter.added_by,
            "value": self.value(parameter.name),
            "min": parameter.low,
            "max": parameter.high,
            "defaultValue": parameter.default,
        }

    def _check_owner(self, name: str, plugin: str) -> None:
        found = self.all.get(name)
        if found is not None and found.added_by != plugin:
            text = "Another plugin has created a parameter of that name."
            raise ApiError(ErrorID.CustomParamAlreadyCreatedByOtherPlugin, text)
        if found is None and sum(parameter.added_by == plugin for parameter in self.all.values()) >= 100:
            raise ApiError(ErrorID.CustomParamLimitPerPluginExceeded, "A plugin may create 100 parameters.")
        if found is None and len(self.all) - len(_DEFAULTS) >= 300:
            raise ApiError(ErrorID.CustomParamLimitTotalExceeded, "There may be 300 custom parameters.")

    def _row(self, row: Any, mode: str, plugin: str) -> tuple[str, float]:
        fields: dict[str, Any] = row if isinstance(row, dict) else {"value": 0}
        name: Any = fields.get("id")
        value: Any = fields.get("value")
        weight: Any = fields.get("weight", 1)
        if not _is_value(value):
            raise ApiError(ErrorID.InjectDataValueInvalid, "Values have to be between -1000000 and 1000000.")
        if mode == "set" and (not _is_value(weight) or not 0 <= weight <= 1):
            raise ApiError(ErrorID.InjectDataWeightInvalid, "The weight has to be between 0 and 1.")
        parameter = self.all.get(name) if isinstance(name, str) else None
        if parameter is None:
            raise ApiError(ErrorID.InjectDataParamNameNotFound, f"Parameter {name} not found.")
        before = self.value(parameter.name)
        if mode == "add":
            return parameter.name, before + value
        if parameter.controller != plugin and self.held(parameter.name):
            text = f"Parameter {name} is controlled by another plugin."
            raise ApiError(ErrorID.InjectDataParamControlledByOtherPlugin, text)
        tracked = parameter.default if parameter.tracked is None else parameter.tracked
        return parameter.name, weight * value + (1 - weight) * tracked


def _is_value(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MAX_VALUE
