"""Settings that more than one process reads. The rest live in each app's `config.py`.

Every key is documented in configs/kitsu.yaml and .env.example; a test goes red when one is missing there.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Port = Annotated[int, Meta(ge=1, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=3600)]
LevelChoice = Annotated[str, Meta(pattern="^[a-z_]+=[0-4]$")]
Word = Annotated[str, Meta(min_length=1, max_length=200)]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all sections."""


class NetworkSettings(Section, frozen=True, kw_only=True):
    """Where the processes listen and find each other."""

    host: Literal["127.0.0.1", "localhost"] = "127.0.0.1"  # this machine only
    orchestrator_port: Port = 9000  # hub and REST
    launcher_port: Port = 9001  # start, stop, restart, status
    control_port: Port = 8100  # the pages and the overlay: the address to open

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

    level: Literal["debug", "info", "warning", "error"] = "info"  # the least that is written
    max_mb: Annotated[float, Meta(gt=0, le=1024)] = 10.0  # a new file after so much
    keep_days: Annotated[int, Meta(ge=1, le=3650)] = 14  # older logs are deleted


class ShowSettings(Section, frozen=True, kw_only=True):
    """The show."""

    character: Annotated[str, Meta(pattern="^[a-z0-9_-]{1,40}$")] = "kitsu"  # configs/characters/<name>.yaml
    start: Literal["standby", "live"] = "standby"  # standby: platform chat is not answered yet


class PolicySettings(Section, frozen=True, kw_only=True):
    """The language model."""

    engine: Literal["auto", "scripted", "openai", "ollama"] = "auto"  # auto: Ollama on this machine, else scripted
    cuts: Literal["natural", "eager"] = "natural"  # how early a sentence is cut to be voiced
    base_url: str = "http://127.0.0.1:8080/v1"  # openai only
    model: str = "default"  # openai only: its name at the server
    api_key: str = ""  # secret: set it in .env
    ollama_url: str = "http://127.0.0.1:11434"  # auto uses it only on this machine
    models: Annotated[tuple[Word, ...], Meta(min_length=1)] = (
        "llama3.1:8b",
        "llama3:8b",
        "llama3.2:3b",
        "mixtral:8x7b",
    )  # Ollama's: the first that it has is used
    keep_alive: Annotated[str, Meta(pattern="^-?([0-9]+(ms|s|m|h))+$")] = "30m"  # Ollama keeps a model loaded so long
    context_tokens: Annotated[int, Meta(ge=512, le=1_048_576)] = 4096  # Ollama only: prompt and answer together
    ollama_autostart: bool = False  # run `ollama serve` while nothing answers at ollama_url on this machine
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.8  # higher: more surprising
    max_tokens: Annotated[int, Meta(ge=8, le=4096)] = 220  # of one answer
    connect_timeout_s: Seconds = 3.0
    first_token_timeout_s: Seconds = 20.0  # a model may have to be loaded first
    token_timeout_s: Seconds = 10.0  # longest gap between two tokens
    max_parallel: Annotated[int, Meta(ge=1, le=16)] = 2  # lines answered at once


class SafetySettings(Section, frozen=True, kw_only=True):
    """The gate. What is done with what it finds: configs/safety/categories.yaml."""

    family_mode: bool = True  # PG-13, no category below level 3; false lets mild profanity through
    levels: tuple[LevelChoice, ...] = ()  # e.g. scams=4: how strict a category is, 0 off … 4 strictest
    budget_ms: Annotated[float, Meta(gt=0, le=5000)] = 250.0  # a verdict that takes longer is a block
    hold_minutes: Annotated[float, Meta(gt=0, le=240)] = 10.0  # a line that waits for you is forgotten after that
    hold_max: Annotated[int, Meta(ge=1, le=500)] = 20  # lines that wait for you; more, and the oldest goes
    crisis_minutes: Annotated[float, Meta(ge=1, le=240)] = 10.0  # one person gets the calm line once in that time
    guard_model: str = ""  # a guard model at Ollama as a second opinion: llama-guard3:1b; empty: none
    guard_url: str = "http://127.0.0.1:11434"  # the Ollama that has it
    guard_budget_ms: Annotated[float, Meta(ge=10, le=900)] = 400.0  # the longest wait for its opinion
    guard_when_down: Literal["block", "rules"] = "block"  # without its opinion: say nothing, or trust the rules
    vote: bool = False  # a statistical model as a further signal, never alone; needs `pip install kitsu[vote]`
    vote_from: Annotated[float, Meta(ge=0.5, le=0.9999)] = 0.99  # how sure it must be to count

    @property
    def level_of(self) -> dict[str, int]:
        return {name: int(level) for name, _, level in (choice.partition("=") for choice in self.levels)}
