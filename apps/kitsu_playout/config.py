"""Settings of the clock and the sound."""

from typing import Annotated

from msgspec import Meta

from kitsu.config import Section


class PlayoutSettings(Section, frozen=True, kw_only=True):
    """The clock and the sound."""

    lead_ms: Annotated[float, Meta(ge=20, le=500)] = 80.0  # sound that sinks hold ahead of the clock
    gain_db: Annotated[float, Meta(ge=-30, le=30)] = 0.0  # on top of the voice's own
    ceiling_db: Annotated[float, Meta(ge=-20, le=0)] = -1.0  # dBFS; the limiter lets no sample over it
    max_buffer_s: Annotated[float, Meta(ge=5, le=3600)] = 180.0  # sound of one turn that may wait
    device: str = ""  # sound device at the start (name, number, default); empty: none, browsers play
    keep_turns: Annotated[int, Meta(ge=0, le=100_000)] = 200  # WAVs under artifacts/turns; 0 keeps none
    keep_mb: Annotated[float, Meta(ge=0, le=1_000_000)] = 300.0
