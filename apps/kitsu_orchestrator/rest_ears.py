"""The REST door's part for the ears."""

import math
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field
from starlette.requests import ClientDisconnect

from kitsu.errors import KitsuError
from kitsu.protocol import STAGE, AsrFinal, AsrTranscript, Speaker, new_id
from kitsu_orchestrator.problems import spoken_text, whole_text
from kitsu_orchestrator.schemas import Body, Conv, LineText
from kitsu_orchestrator.show import Show
from kitsu_orchestrator.status import ears_json

SOURCE = "events"
Language = Annotated[str, Query(pattern="^([a-z]{2,3})?$")]


class HeardBody(Body):
    """What another tool has understood. It passes the gate like everything else."""

    text: LineText
    conv: Conv = STAGE
    name: str = Field(default="", max_length=80, description="of who spoke")
    role: Literal["host", "guest"] = "host"
    utterance: str = Field(default="", max_length=64, description="the tool's own id; a second one of it is dropped")
    language: str = Field(default="", max_length=8)
    confidence: float = Field(default=0.0, ge=0, le=1)
    addressed: bool = Field(default=True, description="it was said to her")
    endpoint_ms: float = Field(default=0.0, ge=0, le=60_000, description="from the last sample until now")


class HeardAnswer(Body):
    """What becomes of it."""

    turn_id: str = Field(description="empty: there is nothing to answer (a hum, said twice, her own voice)")


class ModeBody(Body):
    """How the microphones of a conversation listen."""

    mode: Literal["open", "push_to_talk", "wake_word", "off"]
    conv: Conv = STAGE


class MicrophoneBody(Body):
    """Which microphone of this machine."""

    device: str = Field(
        max_length=200, pattern=r"\S", description='a number, a part of its name, "default", or "none": browsers only'
    )


def add_ears(app: FastAPI, show: Show) -> None:
    """`/events/asr`, `/ears…`, `/transcribe`."""
    _add_words(app, show)
    _add_microphones(app, show)


def _add_words(app: FastAPI, show: Show) -> None:
    @app.post("/events/asr", status_code=202, response_model=HeardAnswer)
    async def heard(body: HeardBody) -> JSONResponse:
        """A line that another tool has understood, as if the ears had."""
        job = show.talk.received(
            AsrFinal(
                conv=body.conv,
                utterance=body.utterance or new_id(),
                text=spoken_text(body.text),
                language=body.language,
                confidence=body.confidence,
                addressed=body.addressed,
                endpoint_ms=body.endpoint_ms if math.isfinite(body.endpoint_ms) else 0.0,
                source_id=SOURCE,
                speaker=Speaker(name=whole_text(body.name), role=body.role),
            )
        )
        return JSONResponse({"turn_id": job.turn_id if job is not None else ""}, 202)

    @app.post("/transcribe")
    async def transcribe(request: Request, language: Language = "") -> Response:
        """What is said in a sound file (WAV, FLAC, Ogg, MP3); the body is the file."""
        transcript = await show.files.transcribe(_sound(request), language)
        # an hour has thousands of words: not through pydantic, the hub lives in the same loop
        return Response(msgspec.json.encode(_transcript_json(transcript)), media_type="application/json")


def _add_microphones(app: FastAPI, show: Show) -> None:
    @app.get("/ears")
    async def ears() -> dict[str, Any]:
        """How the ears are, and what came of what they heard."""
        return ears_json(show)

    @app.get("/ears/devices")
    async def devices() -> dict[str, Any]:
        """Which microphones there are now, and which one is chosen."""
        state = await show.ears.look()
        return {"chosen": state.chosen, "there": list(state.there), "default": state.default, "trouble": state.trouble}

    @app.post("/ears/use")
    async def use(body: MicrophoneBody) -> dict[str, str]:
        """Listen with this microphone from now on."""
        return {"device": await show.ears.use("" if body.device == "none" else body.device)}

    @app.post("/ears/mode")
    async def mode(body: ModeBody) -> dict[str, str]:
        """Open, only while the talk key is held, only with her name, or not at all."""
        show.ears.listen(body.conv, body.mode)
        return {"conv": body.conv, "mode": body.mode}

    @app.post("/ears/{verb}")
    async def mute(verb: Literal["mute", "unmute"]) -> dict[str, bool]:
        """Close all ears, or open them."""
        show.ears.mute(verb == "mute")
        return {"muted": verb == "mute"}


async def _sound(request: Request) -> AsyncIterator[bytes]:
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect:
        raise KitsuError("file_cut", "The file broke off before its end.") from None


def _transcript_json(transcript: AsrTranscript) -> dict[str, Any]:
    return {
        "text": transcript.text,
        "language": transcript.language,
        "confidence": transcript.confidence,
        "duration_ms": transcript.duration_ms,
        "took_ms": transcript.took_ms,
        "engine": transcript.engine,
        "words": [msgspec.structs.asdict(word) for word in transcript.words],
    }
