"""A real OBS Studio under the show that is measured, and a second client that sees what happens in it."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

sys.path.append(str(Path(__file__).resolve().parents[2]))  # the headless OBS is the one that the tests start

from tests.fakes.obs_studio import ObsStudio, Witness, furnish, missing, obs_studio

SAFE_SCENE = "Kitsu Safe"
SCENE = "Gaming"
CHANGED = "CurrentProgramSceneChanged"


@dataclass(frozen=True, slots=True)
class RealObs:
    """OBS, and what is seen of it."""

    studio: ObsStudio
    witness: Witness

    def settings(self) -> dict[str, str]:
        """The show's settings for it."""
        return {"obs.port": str(self.studio.port), "obs.password": self.studio.password, "obs.safe_scene": SAFE_SCENE}

    def mark(self) -> int:
        """How many events there were until now."""
        return len(self.witness.events)

    async def safe_at_ms(self, since: int) -> float:
        """When OBS said that the safe scene is on air, unix ms.

        Raises:
            BenchError: `not_safe`.
        """
        return await self._on_air(SAFE_SCENE, since)

    async def back(self, since: int) -> None:
        """Wait until the show's scene is on air again. Raises like `safe_at_ms`."""
        await self._on_air(SCENE, since)

    async def _on_air(self, scene: str, since: int) -> float:
        try:
            return await self.witness.saw(CHANGED, after=since, timeout_s=5.0, sceneName=scene)
        except TimeoutError:
            raise BenchError("not_safe", f"OBS did not say that {scene!r} is on air.") from None


@asynccontextmanager
async def real_obs(folder: Path) -> AsyncIterator[RealObs]:
    """A running OBS with a few scenes and inputs.

    Raises:
        BenchError: `no_obs`.
    """
    if why := missing():
        raise BenchError("no_obs", why)
    async with obs_studio(folder) as studio:
        await furnish(studio)
        async with studio.witness() as witness:
            await witness.ask("SetCurrentProgramScene", sceneName=SCENE)
            await witness.saw(CHANGED, sceneName=SCENE)
            yield RealObs(studio, witness)
