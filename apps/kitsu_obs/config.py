"""Settings of the link to OBS."""

from typing import Annotated, Literal

from msgspec import Meta

from kitsu.config import Port, Seconds, Section


class ObsSettings(Section, frozen=True, kw_only=True):
    """OBS Studio."""

    connect: Literal["auto", "always", "never"] = "auto"  # auto: when a password is set
    host: Annotated[str, Meta(min_length=1, max_length=200)] = "127.0.0.1"  # where OBS runs
    port: Port = 4455  # OBS: Tools, WebSocket Server Settings
    password: str = ""  # secret: set it in .env
    safe_scene: Annotated[str, Meta(min_length=1, max_length=200)] = "Kitsu Safe"  # panic shows this one
    caption_input: Annotated[str, Meta(max_length=200)] = "Kitsu Caption"  # text source for the sentence that sounds
    answering_input: Annotated[str, Meta(max_length=200)] = "Kitsu Answering"  # and for the line she answers
    hub_grace_s: Seconds = 5.0  # with the hub gone for longer, OBS goes to the safe scene
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 3.0  # longest wait for OBS's word on an order

    @property
    def wanted(self) -> bool:
        """Whether OBS is to be used at all."""
        return self.connect == "always" or (self.connect == "auto" and bool(self.password))
