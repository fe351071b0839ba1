"""Settings, folders and tokens."""

from kitsu.config.downloads import DownloadSettings
from kitsu.config.home import CHECKOUT, Home, home
from kitsu.config.loading import Source, is_wanted, load, load_all, read, section_type
from kitsu.config.sections import (
    LogSettings,
    NetworkSettings,
    PolicySettings,
    Port,
    SafetySettings,
    Seconds,
    Section,
    ShowSettings,
)
from kitsu.config.tokens import make_secret, read_secret

__all__ = [
    "CHECKOUT",
    "DownloadSettings",
    "Home",
    "LogSettings",
    "NetworkSettings",
    "PolicySettings",
    "Port",
    "SafetySettings",
    "Seconds",
    "Section",
    "ShowSettings",
    "Source",
    "home",
    "is_wanted",
    "load",
    "load_all",
    "make_secret",
    "read",
    "read_secret",
    "section_type",
]
