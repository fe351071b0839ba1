"""VTube Studio's plugin API on a real socket, written from its documentation alone (README.md, Events/README.md and
Files/ErrorID.cs of the VTube Studio API; each behaviour names its section). Shares no code with what it tests.

async with FakeVTubeStudio() as studio:
    studio.popup = "deny"                       # what the user clicks: allow, deny, or hold (see `click`)
    await studio.load(None)                     # the user unloads the model
    await studio.until(lambda: studio.value("MouthOpen") > 0.5)

By hand, with a meter of mouth and expressions: `python -m tests.fakes.vtube_studio`.
"""

from tests.fakes.vtube_studio.model import Hotkey, Model, fox, owl
from tests.fakes.vtube_studio.studio import FakeVTubeStudio

__all__ = ["FakeVTubeStudio", "Hotkey", "Model", "fox", "owl"]
