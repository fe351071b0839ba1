"""What the REST door takes and gives."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kitsu.protocol import STAGE, AuthorRole, Clock
from kitsu_orchestrator.lines import MAX_CODE_POINTS

Conv = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9:_.-]{0,79}$")]
LineText = Annotated[str, Field(max_length=MAX_CODE_POINTS)]


class Body(BaseModel):
    """A body, or an answer, with these fields and no others."""

    model_config = ConfigDict(extra="forbid")


class ChatBody(Body):
    """One line of chat, as if somebody had typed it."""

    text: LineText
    author: str = Field(default="operator", min_length=1, max_length=80)
    role: AuthorRole = "viewer"
    conv: Conv = STAGE
    clock: Clock = "live"
    message_id: str = Field(
        default="", max_length=128, description="the sender's own id; a second line of it is dropped"
    )
    wait: bool = Field(default=False, description="answer when the turn has ended")
    timeout_s: float = Field(default=60.0, gt=0, le=600)


class SayBody(Body):
    """The operator's own words. They pass the gate like everything else."""

    text: LineText
    conv: Conv = STAGE
    now: bool = Field(default=False, description="cut what she is saying")
    wait: bool = False
    timeout_s: float = Field(default=60.0, gt=0, le=600)


class PanicBody(BaseModel):
    """Where the button was pressed. Everything is optional, and what cannot be read is ignored: panic must be easy."""

    panic_id: str = Field(default="", max_length=64)
    pressed_at: int = Field(default=0, ge=0, description="unix µs")
    by: str = Field(default="rest", max_length=32)


class SkipBody(Body):
    """Which conversation's turn ends."""

    conv: Conv = STAGE


class ModuleBody(Body):
    """What to do with a service."""

    action: Literal["start", "stop", "restart"]


class VoiceBody(Body):
    """Who shall speak."""

    engine: str = Field(max_length=40)
    voice: str = Field(default="", max_length=120, description="empty: the engine's own choice")


class ExpressionBody(Body):
    """A face or a gesture of the character's."""

    word: str = Field(pattern="^[a-z][a-z ]{0,39}$")


class TopicsBody(Body):
    """Whether she may begin to talk by herself."""

    on: bool


class DeviceBody(Body):
    """Where she is heard."""

    device: str = Field(
        max_length=200,
        pattern=r"\S",
        description='a sound device (a number, or a part of its name), "default", or "none": overlay and pages',
    )


class DevicesAnswer(BaseModel):
    """The machine's sound devices."""

    chosen: str = Field(description='"default", or a name out of `there`; empty: none, overlay and pages play')
    playing: str = Field(description="the one that is open now; empty: none")
    trouble: str = Field(description="why the chosen one does not play, or why nothing is known of any")
    there: list[str]
    default: str = Field(description="the one that the system itself plays on")


class VolumeBody(Body):
    """How loud."""

    percent: int = Field(ge=0, le=100)


TermText = Annotated[str, Field(min_length=1, max_length=120)]


class TermBody(Body):
    """A word or phrase of the operator's."""

    term: TermText


class BlockBody(TermBody):
    """A word or phrase to block."""

    category: str = Field(default="blocked", max_length=40)
    now_only: bool = Field(default=False, description="until the show is restarted")


class AllowBody(Body):
    """A phrase that nothing is held against."""

    phrase: TermText
    remove: bool = Field(default=False, description="take it back")


class HeldBody(Body):
    """What becomes of a held line."""

    answer: Literal["allow_once", "deny"]


class Accepted(BaseModel):
    """202: the line waits for its turn."""

    turn_id: str


class ErrorDetail(BaseModel):
    """What went wrong."""

    code: str
    message: str
    turn_id: str | None = None


class ErrorAnswer(BaseModel):
    """The one shape of all errors."""

    error: ErrorDetail


class SegmentAnswer(BaseModel):
    """One piece of an answer."""

    text: str
    expression: str
    action: str


class Engines(BaseModel):
    """Who thought and who spoke."""

    policy: str
    tts: str


class TurnAnswer(BaseModel):
    """A turn."""

    turn_id: str
    conv: str
    kind: str
    accepted_at: int = Field(description="unix µs")
    author: str
    author_role: str
    text: str
    outcome: str | None = Field(description="null while it runs")
    reason: str
    segments: list[SegmentAnswer]
    heard: str
    first_audio_ms: float
    audio_ms: float
    engine: Engines
    times: dict[str, float]
    wav: str
    story: list[dict[str, Any]]


class ObsSceneBody(Body):
    """Which scene."""

    scene: str = Field(min_length=1, max_length=200)


class ObsPresetBody(Body):
    """Which preset of configs/obs.yaml."""

    preset: str = Field(min_length=1, max_length=60)


class ObsTextBody(Body):
    """Words for a text source of OBS. They pass the gate like everything else."""

    input: str = Field(min_length=1, max_length=200)
    text: str = Field(max_length=500)


class ObsSetUpBody(Body):
    """What Kitsu needs in OBS."""

    apply: bool = Field(default=False, description="false: only say what would be made")
    overlay_url: str = Field(default="", max_length=400, description="the overlay's address with its key")


class ObsStepAnswer(BaseModel):
    """One step."""

    step: str
    state: str
    detail: str
    confirmed_by: str
    ms: float


class ObsAnswer(BaseModel):
    """An order to OBS, done."""

    ms: float = Field(description="order -> OBS's last event")
    confirmed_by: str = Field(description="OBS's own event; `query`: it was so already")
    steps: list[ObsStepAnswer]
