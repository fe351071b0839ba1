"""Settings of the control door."""

from typing import Annotated

from msgspec import Meta

from kitsu.config import Section


class ControlSettings(Section, frozen=True, kw_only=True):
    """The door for browsers."""

    session_days: Annotated[float, Meta(gt=0, le=365)] = 14.0  # how long a browser stays signed in
    link_minutes: Annotated[float, Meta(gt=0, le=60)] = 10.0  # how long a sign-in link works
    max_browsers: Annotated[int, Meta(ge=1, le=500)] = 32  # open overlays, pages and streams in all
