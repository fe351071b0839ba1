"""The command spotter, where PocketSphinx is installed."""

import importlib.util
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kitsu_asr.spotter import Spotter


def make_spotter() -> "Spotter | None":
    """None: commands are then understood only as the recogniser writes them."""
    if importlib.util.find_spec("pocketsphinx") is None:
        return None
    from kitsu_asr.spotter import Spotter

    return Spotter()
