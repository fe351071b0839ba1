"""Any server with the OpenAI speech API (`POST /audio/speech`): Kokoro servers, LocalAI, OpenAI itself.

No SDK: one long-lived client, the first bytes go straight through.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Any, ClassVar

import httpx
import msgspec

from kitsu.errors import ConfigError, EngineError
from kitsu_tts.config import TtsSettings
from kitsu_tts.mouth import Mouth
from kitsu_tts.pcm_stream import PcmStream
from kitsu_tts.voice import MAX_SOUND_S, Chunk, Voice, speakable

DEFAULT_VOICE = "alloy"
MIN_CHUNK_S = 0.01  # smaller pieces of the network's making are joined
TAIL_BYTES = 32  # held back, so that the last chunk is known to be the last: it closes the mouth
MAX_CHUNK_BYTES = 1 << 17
MAX_ERROR_BYTES = 2_000
WARM_UP_S = 5.0
_NOT_SOUND = ("application/json", "text/", "audio/mpeg", "audio/ogg", "audio/opus", "audio/flac", "audio/aac")
_TRY_AGAIN = frozenset({408, 409, 425, 429})


class OpenAiVoice(Voice):
    """A voice behind HTTP."""

    name: ClassVar[str] = "openai"

    def __init__(self, settings: TtsSettings) -> None:
        super().__init__(settings)
        base = httpx.URL(settings.base_url)
        if base.scheme not in ("http", "https") or not base.host:
            raise ConfigError("bad_setting", f"tts.base_url = {settings.base_url!r}: wants http://HOST:PORT/v1")

    async def load(self, stack: AsyncExitStack) -> None:
        settings = self.settings
        headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        self._client = httpx.AsyncClient(
            headers={"Content-Type": "application/json", **headers},
            timeout=httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s),
            limits=httpx.Limits(max_connections=settings.max_parallel + 4, keepalive_expiry=600),
            follow_redirects=False,
            trust_env=False,
        )
        self._url = settings.base_url.rstrip("/") + "/audio/speech"
        await stack.enter_async_context(self._client)
        await self._warm_up()

    def identity(self, voice: str) -> str | None:
        settings = self.settings
        name = voice or settings.voice or DEFAULT_VOICE
        return f"openai {self._url} {settings.model} {name} {settings.format} {settings.pcm_rate_hz} {settings.rate}"

    async def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        body = self._body(speakable(text), voice)
        try:
            async with self._client.stream("POST", self._url, content=body) as response:
                await _check(response)
                async with aclosing(self._chunks(response)) as chunks:
                    async for chunk in chunks:
                        yield chunk
        except httpx.TimeoutException as error:
            kind = "connect" if isinstance(error, httpx.ConnectTimeout) else "answer"
            raise self._failed("voice_timeout", f"the voice server took too long to {kind}") from None
        except httpx.ConnectError:
            raise self._failed("voice_unreachable", f"nothing answers at {self.settings.base_url}") from None
        except httpx.HTTPError as error:
            raise self._failed("voice_cut", f"the voice server broke off ({type(error).__name__})") from None
        except EngineError as error:
            self.trouble = error.message
            raise
        self.trouble = ""

    def _body(self, text: str, voice: str) -> bytes:
        settings = self.settings
        request: dict[str, Any] = {
            "model": settings.model,
            "input": text,
            "voice": voice or settings.voice or DEFAULT_VOICE,
            "response_format": settings.format,
        }
        if settings.rate != 1:
            request["speed"] = settings.rate
        return msgspec.json.encode(request)

    async def _chunks(self, response: httpx.Response) -> AsyncGenerator[Chunk, None]:
        stream = PcmStream(self.settings.pcm_rate_hz)
        mouth: Mouth | None = None
        ready, sent = b"", 0
        async for data in response.aiter_raw():
            for start in range(0, len(data), MAX_CHUNK_BYTES):
                ready += stream.feed(data[start : start + MAX_CHUNK_BYTES])
                if len(ready) < MIN_CHUNK_S * stream.rate_hz * 2:
                    continue
                mouth = mouth or Mouth(stream.rate_hz)
                pcm, ready = ready[:-TAIL_BYTES], ready[-TAIL_BYTES:]
                sent += len(pcm)
                yield Chunk(pcm, stream.rate_hz, mouth.feed(pcm))
            if sent > MAX_SOUND_S * stream.rate_hz * 2:
                raise EngineError("voice_too_long", f"more than {MAX_SOUND_S:.0f} s of sound for one segment")
        if ready:
            mouth = mouth or Mouth(stream.rate_hz)
            yield Chunk(ready, stream.rate_hz, mouth.feed(ready, last=True))
        else:
            raise EngineError("voice_empty", "the voice server sent no sound", retryable=True)

    async def _warm_up(self) -> None:
        """One short request, so that the first turn finds connection and model warm. A failure only degrades."""
        try:
            async with asyncio.timeout(WARM_UP_S), aclosing(self.speak("Hi.")) as chunks:
                async for _ in chunks:
                    pass
        except TimeoutError:
            self.trouble = "the voice server took too long to answer"
        except EngineError as error:
            self.trouble = error.message

    def _failed(self, code: str, message: str) -> EngineError:
        self.trouble = message
        return EngineError(code, message, retryable=True)


async def _check(response: httpx.Response) -> None:
    kind = response.headers.get("content-type", "").lower()
    if response.status_code == 200 and not kind.startswith(_NOT_SOUND):
        return
    if response.status_code == 200 and kind.startswith("audio/"):
        raise EngineError("voice_bad_audio", f"the voice server sends {kind}; Kitsu asked for PCM or WAV")
    said = b""
    async for data in response.aiter_raw():
        said += data
        if len(said) > MAX_ERROR_BYTES:
            break
    raise EngineError(
        "voice_http_error",
        f"the voice server answered {response.status_code}: {_reason(said[:MAX_ERROR_BYTES])}",
        retryable=response.status_code >= 500 or response.status_code in _TRY_AGAIN,
    )


class _Detail(msgspec.Struct):
    message: str = ""


class _Complaint(msgspec.Struct):
    error: _Detail = msgspec.field(default_factory=_Detail)


def _reason(body: bytes) -> str:
    """The server's own message, if it speaks the API's form; never the whole body, which may echo viewer text."""
    try:
        return msgspec.json.decode(body, type=_Complaint).error.message[:120] or "no reason given"
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return "no reason given"
