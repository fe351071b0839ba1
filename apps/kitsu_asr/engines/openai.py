"""Any server with `POST /v1/audio/transcriptions`: whisper containers (speaches, LocalAI, whisper.cpp), OpenAI itself.

One warm connection, no SDK. What it answers is checked as if a stranger had sent it.
"""

import io
import math
import wave
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec

from kitsu.errors import EngineError
from kitsu.protocol import EARS_RATE_HZ
from kitsu_asr.engine import Choice, Heard, Session, Word

MAX_ANSWER_BYTES = 2 << 20
MAX_WORDS = 20_000
CONNECT_S = 3.0
NO_SOUND_BYTES = EARS_RATE_HZ // 10 * 2  # servers refuse less than 0.1 s
_LOCAL = ("127.0.0.1", "localhost", "::1")


class _Segment(msgspec.Struct):
    avg_logprob: float = 0.0
    no_speech_prob: float = 0.0


class _Word(msgspec.Struct):
    word: str = ""
    start: float = 0.0
    end: float = 0.0


class _Answer(msgspec.Struct):
    text: str
    language: str | None = None
    words: list[_Word] | None = None
    segments: list[_Segment] | None = None


class OpenAiEngine:
    """Asked at pauses only: every request costs, and takes as long as the last."""

    name = "openai"
    partials = False

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self._model = choice.model or "whisper-1"
        self._client: httpx.Client | None = None

    def load(self) -> str:
        local = httpx.URL(self._choice.base_url).host in _LOCAL
        self._client = httpx.Client(
            base_url=self._choice.base_url.rstrip("/"),
            headers={"Authorization": f"Bearer {self._choice.api_key}"} if self._choice.api_key else {},
            timeout=httpx.Timeout(self._choice.read_timeout_s, connect=CONNECT_S),
            trust_env=not local,
        )
        return f"{self._model} at {httpx.URL(self._choice.base_url).host}"

    def open(self, language: str, hints: Sequence[str]) -> Session:
        return _Utterance(self, language, ", ".join(hints)[:400])

    def hear(self, pcm: bytes, language: str, hints: str) -> Heard:
        """Ask.

        Raises:
            EngineError: `ears_unreachable`, `ears_timeout`, `ears_http_error`, `ears_bad_answer`.
        """
        if len(pcm) < NO_SOUND_BYTES:
            return Heard()
        fields: dict[str, Any] = {"model": self._model, "response_format": "verbose_json"}
        fields["timestamp_granularities[]"] = ["word", "segment"]
        fields |= {"language": language} if language else {}
        fields |= {"prompt": hints} if hints else {}
        return _heard(self._post(fields, _wav(pcm)))

    def _post(self, fields: dict[str, Any], wav: bytes) -> bytes:
        assert self._client is not None, "load() comes first"
        files = {"file": ("speech.wav", wav, "audio/wav")}
        try:
            with self._client.stream("POST", "/audio/transcriptions", data=fields, files=files) as response:
                if response.status_code != 200:
                    text = f"The recogniser's server answered HTTP {response.status_code}."
                    retryable = response.status_code in (408, 429) or response.status_code >= 500
                    raise EngineError("ears_http_error", text, retryable=retryable)
                return _body(response)
        except httpx.TimeoutException:
            text = "The recogniser's server did not answer in time."
            raise EngineError("ears_timeout", text, retryable=True) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            text = f"The recogniser's server cannot be reached ({type(error).__name__})."
            raise EngineError("ears_unreachable", text, retryable=True) from None


class _Utterance:
    """Keeps the sound; asks when something was added."""

    def __init__(self, engine: OpenAiEngine, language: str, hints: str) -> None:
        self._engine = engine
        self._language = language
        self._hints = hints
        self._sound = bytearray()
        self._of = -1
        self._last = Heard()

    def feed(self, pcm: bytes) -> None:
        self._sound += pcm

    def partial(self) -> Heard:
        if self._of != len(self._sound):
            self._last = self._engine.hear(bytes(self._sound), self._language, self._hints)
            self._of = len(self._sound)
        return self._last

    def finish(self) -> Heard:
        return self.partial()

    def close(self) -> None:
        self._sound.clear()


def _body(response: httpx.Response) -> bytes:
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > MAX_ANSWER_BYTES:
            raise EngineError("ears_bad_answer", "The recogniser's server answered without an end.")
    return bytes(data)


def _heard(data: bytes) -> Heard:
    try:
        answer = msgspec.json.decode(data, type=_Answer)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise EngineError(
            "ears_bad_answer", "The recogniser's server answered with something else than text."
        ) from None
    segments = answer.segments or []
    count = max(1, len(segments))
    confidence = math.exp(min(0.0, max(-20.0, sum(part.avg_logprob for part in segments) / count)))
    return Heard(
        text=" ".join(answer.text.split()),
        words=tuple(
            Word(word.word.strip(), word.start, word.end)
            for word in (answer.words or [])[:MAX_WORDS]
            if 0 <= word.start <= word.end < 1e6
        ),
        language=_code(answer.language),
        confidence=confidence if segments else 0.0,
        no_speech=min(1.0, max(0.0, sum(part.no_speech_prob for part in segments) / count)),
    )


_NAMES = {"english": "en", "german": "de", "spanish": "es", "french": "fr", "japanese": "ja", "italian": "it"}


def _code(language: str | None) -> str:
    """Servers write `en` or `english`."""
    text = (language or "").casefold()
    return _NAMES.get(text, text if len(text) <= 3 and text.isalpha() else "")


def _wav(pcm: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(EARS_RATE_HZ)
        file.writeframes(pcm)
    return out.getvalue()
