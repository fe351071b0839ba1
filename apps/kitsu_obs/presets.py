"""configs/obs.yaml: what panic does to OBS, and the presets."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from kitsu.datafiles import DataFileError, line_of, read_yaml
from kitsu.errors import ConfigError
from kitsu.home import Home
from kitsu_obs.steps import AnyStep, Filter, Name, Scene, Text, Transition

FILE = "obs.yaml"
PresetName = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9 _-]{0,59}$")]


class PanicFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A filter that panic switches on: a blur, a black picture, a mute."""

    source: Name
    filter: Name

    def step(self) -> Filter:
        return Filter(source=self.source, filter=self.filter)


class PanicPlan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What panic does beside showing the safe scene."""

    mute: bool = True  # every input that has sound
    keep: tuple[Name, ...] = ()  # inputs that stay as they are, such as quiet music
    filters: tuple[PanicFilter, ...] = ()
    stop: tuple[Literal["record", "stream"], ...] = ()


class ObsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file."""

    panic: PanicPlan = PanicPlan()
    presets: dict[PresetName, Annotated[tuple[AnyStep, ...], Meta(min_length=1, max_length=100)]] = {}


def load_presets(where: Home) -> ObsFile:
    """The file in home's `configs`, if there is one; else the seed.

    Raises:
        ConfigError: `bad_obs_file`, naming file and line.
    """
    own = where.root / "configs" / FILE
    path = own if own.is_file() else where.configs / FILE
    try:
        file = read_yaml(path, ObsFile)
        for name, steps in file.presets.items():
            _refuse_late_transition(path, name, steps)
        return file
    except DataFileError as error:
        if error.missing:
            return ObsFile()
        raise ConfigError("bad_obs_file", f"{error}.") from None


def _refuse_late_transition(path: Path, name: str, steps: tuple[AnyStep, ...]) -> None:
    kinds = [type(step) for step in steps]
    if Scene in kinds and Transition in kinds[kinds.index(Scene) :]:
        what = f"{name}: `transition` must stand before `scene`; OBS cannot change it while one is running"
        raise DataFileError(path, line_of(path, "presets", name), what)


def texts(steps: tuple[AnyStep, ...]) -> tuple[str, ...]:
    """What a preset would write for an audience to read."""
    return tuple(step.text for step in steps if isinstance(step, Text))
