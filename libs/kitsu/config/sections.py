"""Settings that more than one process reads. The rest live in each app's `config.py`.

Every key is documented in configs/kitsu.yaml and .env.example; a test goes red when one is missing there.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""


class NetworkSettings(Section, frozen=True, kw_only=True):
    """Where the processes listen and find each other."""

    host: str = "127.0.0.1"
    orchestrator_port: Port = 9000
    launcher_port: Port = 9001
    control_port: Port = 8100

    @property
    def orchestrator_url(self) -> str:
        return f"http://{self.host}:{self.orchestrator_port}"

    @property
    def launcher_url(self) -> str:
        return f"http://{self.host}:{self.launcher_port}"

    @property
    def control_url(self) -> str:
        return f"http://{self.host}:{self.control_port}"

    @property
    def hub_url(self) -> str:
        return f"ws://{self.host}:{self.orchestrator_port}/hub"


class LogSettings(Section, frozen=True, kw_only=True):
    """One JSON log a service."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    max_mb: Annotated[float, Meta(gt=0, le=1024)] = 10.0  # a new file after so much
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 14


class ShowSettings(Section, frozen=True, kw_only=True):
    """The show."""

    character: Annotated[str, Meta(pattern="^[a-z0-9_-]{1,40}$")] = "kitsu"
    start: Literal["standby", "live"] = "standby"


class PolicySettings(Section, frozen=True, kw_only=True):
    """The language model."""

    engine: Literal["scripted", "openai"] = "scripted"
    cuts: Literal["natural", "eager"] = "natural"
    base_url: str = "http://127.0.0.1:8080/v1"
    model: str = "default"
    api_key: str = ""  # secret: set it in .env
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.8
    max_tokens: Annotated[int, Meta(ge=8, le=4096)] = 220
    connect_timeout_s: Seconds = 3.0
    first_token_timeout_s: Seconds = 20.0
    token_timeout_s: Seconds = 10.0


class SafetySettings(Section, frozen=True, kw_only=True):
    """The gate."""

    family_mode: bool = True
    budget_ms: Annotated[float, Meta(gt=0, le=5000)] = 250.0  # a verdict that takes longer is a block
