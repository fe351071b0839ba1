"""What of coqui lies in the home: which voices are complete, and which of them are XTTS. Looks only."""

import re
from collections.abc import Iterator
from pathlib import Path

from kitsu.home import Home

CPML = (
    "Coqui Public Model License (CPML): for non-commercial use only, whatever the model says included. A stream that "
    "earns money is commercial, and the licensor is gone: no commercial licence can be had any more."
)
"""What XTTS models are under, in short. The text lies beside the model as its publisher ships it."""

MAX_CONFIG_BYTES = 2_000_000
_XTTS = re.compile(rb'"(?:base_)?model"\s*:\s*"xtts', re.IGNORECASE)


def voices(home: Home) -> list[str]:
    """Names of the voices that anyone may use as far as Kitsu can tell, in order."""
    return [folder.name for folder in _complete(home) if not is_xtts(folder)]


def xtts_voices(home: Home) -> list[str]:
    """Names of the XTTS models, in order."""
    return [folder.name for folder in _complete(home) if is_xtts(folder)]


def is_xtts(folder: Path) -> bool:
    """Whether a model's config.json says so. Coqui's own loader is asked again before it loads one."""
    try:
        with (folder / "config.json").open("rb") as file:
            return _XTTS.search(file.read(MAX_CONFIG_BYTES)) is not None
    except OSError:
        return False


def _complete(home: Home) -> Iterator[Path]:
    for model in sorted((home.coqui / "models").glob("*/model.pth")):
        if (model.parent / "config.json").is_file():
            yield model.parent
