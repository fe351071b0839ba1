"""Settings of the voice."""

from typing import Annotated, Literal

from msgspec import Meta

from kitsu.config import Seconds, Section


class TtsSettings(Section, frozen=True, kw_only=True):
    """The voice."""

    engine: Literal["auto", "espeak", "piper", "coqui", "openai"] = "auto"  # auto: coqui, piper, espeak, as installed
    fallback: bool = True  # another installed voice speaks when this one fails
    voice: str = ""  # empty: the engine's own choice (espeak: en-us+f3, openai: alloy)
    rate: Annotated[float, Meta(ge=0.5, le=2)] = 1.0  # 1 = as the voice was made
    pitch: Annotated[int, Meta(ge=0, le=99)] = 64  # espeak only; 50 = as the voice was made
    liveliness: Annotated[int, Meta(ge=0, le=99)] = 66  # espeak only: pitch range; 50 = as the voice was made
    gain_db: Annotated[float, Meta(ge=-30, le=30)] | None = None  # empty: the engine's own, about -18 dBFS of speech
    first_sound_timeout_s: Seconds = 6.0  # a voice that takes longer to begin is replaced
    cache_mb: Annotated[float, Meta(ge=0, le=100_000)] = 200.0  # sound that is kept on disk; 0 keeps none
    max_parallel: Annotated[int, Meta(ge=1, le=16)] = 3  # segments voiced at once
    accept_cpml: bool = False  # coqui only: XTTS models may be named; their licence forbids commercial use
    language: str = ""  # coqui only, voices that speak several languages: de, en …; empty: the first it has
    base_url: str = "http://127.0.0.1:8880/v1"  # openai only
    model: str = "tts-1"  # openai only
    api_key: str = ""  # secret: set it in .env
    format: Literal["pcm", "wav"] = "pcm"  # openai only
    pcm_rate_hz: Annotated[int, Meta(ge=8000, le=48000)] = 24_000  # openai only: rate of `pcm`, which does not say
    connect_timeout_s: Seconds = 3.0  # openai only
    read_timeout_s: Seconds = 10.0  # openai only: longest wait for the next piece of sound
