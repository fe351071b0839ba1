"""How OBS is, as the hub is told."""

from dataclasses import dataclass

from kitsu.protocol import ObsPreset, ObsState
from kitsu.services import SERVICES
from kitsu_obs.keeper import Keeper
from kitsu_obs.link import ObsLink
from kitsu_obs.picture import Picture
from kitsu_obs.presets import ObsFile, texts

NOT_CONFIGURED = f"not configured: {SERVICES['obs'].how_to}"


@dataclass(frozen=True, slots=True)
class Account:
    """What is known now; without a link, OBS is not configured."""

    safe_scene: str
    file: ObsFile
    file_trouble: str
    picture: Picture
    link: ObsLink | None
    keeper: Keeper | None

    def trouble(self) -> str:
        """The first thing that is wrong, and what helps; empty: nothing."""
        if self.link is None:
            return ""
        if self.link.trouble is not None:
            return self.link.trouble.message
        if self.keeper is not None and self.keeper.held == "alone":
            return f"`kitsu obs restore` brings OBS back: it went to {self.safe_scene!r} while the hub was gone"
        if not self.picture.scenes:
            return "OBS has no scene"
        if self.safe_scene not in self.picture.scenes:
            return f"no scene {self.safe_scene!r} for panic: `kitsu obs setup` makes it; obs.safe_scene names another"
        return self.file_trouble

    def state(self, trouble: str) -> ObsState:
        """All of it."""
        picture = self.picture
        return ObsState(
            connected=self.link is not None and self.link.trouble is None,
            configured=self.link is not None,
            reason=trouble or ("" if self.link else NOT_CONFIGURED),
            version=picture.version,
            scene=picture.scene,
            scenes=picture.scenes,
            inputs=tuple(picture.inputs.values()),
            recording=picture.outputs["Record"],
            streaming=picture.outputs["Stream"],
            presets=tuple(ObsPreset(name=name, texts=texts(steps)) for name, steps in self.file.presets.items()),
            safe_scene=self.safe_scene,
            held=self.keeper.held if self.keeper else "",
        )
