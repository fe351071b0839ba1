"""Settings of the link to VTube Studio."""

from typing import Annotated

from msgspec import Meta

from kitsu.config import Port, Section

Feed = Annotated[str, Meta(pattern="^[A-Za-z0-9]{1,32}=(open|smile|round|a|i|u|e|o|silence)$")]


class VtsSettings(Section, frozen=True, kw_only=True):
    """VTube Studio."""

    enabled: bool = False  # true: connect; VTube Studio asks you once whether Kitsu may
    host: Annotated[str, Meta(pattern="^[A-Za-z0-9.:-]{1,253}$")] = "127.0.0.1"  # where it runs
    port: Port = 8001  # its own setting, beside Start API
    mouth: tuple[Feed, ...] = ("MouthOpen=open", "MouthSmile=smile")  # PARAMETER=SOURCE; unknown parameters are created
    rate_hz: Annotated[float, Meta(ge=5, le=60)] = 30.0  # how often the mouth is sent while she speaks
    ahead_ms: Annotated[float, Meta(ge=0, le=300)] = 30.0  # earlier than the sound, for VTube Studio's own smoothing
    fade_s: Annotated[float, Meta(ge=0, le=2)] = 0.25  # of a new face
    rest_s: Annotated[float, Meta(ge=0, le=3600)] = 8.0  # neutral again so long after her last sound; 0: the face stays
    sway: bool = False  # the head moves a little while she speaks; needs face tracking off
    blink: bool = False  # for models that do not blink by themselves
