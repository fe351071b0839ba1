"""The natural voice that a first run offers: with its licence and size, or why it cannot be had."""

import importlib.util
from dataclasses import dataclass

from kitsu.config import DownloadSettings, home, load
from kitsu.errors import KitsuError
from kitsu_cli.downloads import piper
from kitsu_cli.downloads.installed import voices
from kitsu_cli.downloads.progress import Progress
from kitsu_cli.downloads.source import source_at
from kitsu_cli.downloads.trouble import GOES_ON, megabytes

KEY = "en_US-ljspeech-medium"
LOOK_S = 6.0


@dataclass(frozen=True, slots=True)
class Natural:
    """`key`: the voice; `offered`: it has to be downloaded first; `why_not`: it cannot be had now."""

    key: str
    offered: piper.Offer | None = None
    why_not: str = ""

    def words(self) -> tuple[str, ...]:
        """What to know before choosing it."""
        if self.why_not:
            return (f"natural cannot be had now: {self.why_not}",)
        if self.offered is None:
            return (f"natural: {self.key}, which is here already.",)
        size = megabytes(self.offered.voice.size_bytes)
        warning = ("! This sounds as if money may not be made with it.",) if self.offered.licence.restricted else ()
        return (f"natural: downloads {self.key}, {size}. Its publisher says:", *self.offered.licence.lines, *warning)

    def get(self) -> None:
        """Download it if it is not here.

        Raises:
            VerbError: see `piper.get`.
        """
        if self.offered is None:
            return
        folder = home().piper_voices
        with source_at(_place()) as source, piper.alone(folder), Progress() as progress:
            piper.get(source, self.offered, folder, progress)


def natural() -> Natural:
    """What there is. Asks the publisher once, and not for long; never raises."""
    if importlib.util.find_spec("piper") is None:
        return Natural(KEY, why_not="its engine is not installed (pip install kitsu[piper])")
    if here := voices(home().piper_voices):
        return Natural(KEY if KEY in here else here[0])
    try:
        with source_at(_place(), timeout_s=LOOK_S) as source:
            voice = piper.manifest(source, pauses_s=()).voice(KEY)
            return Natural(KEY, piper.offer(source, voice))
    except KitsuError as error:
        why = "its publisher does not answer." if error.code == GOES_ON else error.message
        return Natural(KEY, why_not=f"{why} Later: kitsu download voice {KEY}")


def _place() -> str:
    settings = load("downloads", DownloadSettings)
    return settings.mirror or settings.piper_url
