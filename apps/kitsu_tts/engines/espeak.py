"""eSpeak NG: small, instant, and exact about when each sound begins.

All synthesis happens in one thread. It is about a thousand times faster than speech, so segments that come at the
same time queue for a few milliseconds.
"""

import asyncio
import threading
from array import array
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import ClassVar

from kitsu.errors import ConfigError, EngineError
from kitsu.protocol import Viseme, WordMark
from kitsu.speech.visemes import viseme_of
from kitsu_tts.espeak_library import WORDS_PER_MINUTE, EspeakLibrary, Phoneme, Tone, Word
from kitsu_tts.voice import MAX_SOUND_S, Chunk, Voice, speakable

DEFAULT_VOICE = "en-us+f3"
SILENCE = 64  # |sample| below this (-54 dBFS) before the first sound is silence
LEAD_S = 0.005  # of silence that stays before the first sound
CHUNK_S = 0.1  # the first chunk is smaller: whatever the library hands out first
PAUSES_S = {".": 0.2, "!": 0.2, "?": 0.2, "…": 0.25, ",": 0.09, ";": 0.12, ":": 0.12, "–": 0.09, "—": 0.09}
_CLOSING = "\"'”’»)] \n"


class EspeakVoice(Voice):
    """The voice of a fresh clone."""

    name: ClassVar[str] = "espeak"
    features: ClassVar[tuple[str, ...]] = ("word_marks", "exact_visemes")
    trusted: ClassVar[bool] = True
    default_gain_db: ClassVar[float] = 2.5  # en-us+f3 speaks at -20.5 dBFS

    async def load(self, stack: AsyncExitStack) -> None:
        self._thread = ThreadPoolExecutor(1, "espeak")
        stack.callback(self._thread.shutdown, cancel_futures=True)
        try:
            self._library = await asyncio.get_running_loop().run_in_executor(self._thread, EspeakLibrary)
            async for _ in self.speak("Ready."):
                pass
        except EngineError as error:
            raise ConfigError(error.code, f"tts.engine = espeak: {error.message}") from None

    async def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        settings = self.settings
        tone = Tone(
            voice or settings.voice or DEFAULT_VOICE,
            round(WORDS_PER_MINUTE * settings.rate),
            settings.pitch,
            settings.liveliness,
        )
        utterance = _Utterance(speakable(text), self._library.rate_hz)
        self._thread.submit(utterance.run, self._library, tone)
        try:
            while (chunk := await utterance.chunks.get()) is not None:
                if isinstance(chunk, EngineError):
                    raise chunk
                yield chunk
        finally:
            utterance.cancelled.set()


class _Utterance:
    """One text on its way through the thread: trims the silence before it, adds the pause after it."""

    def __init__(self, text: str, rate_hz: int) -> None:
        self.chunks: asyncio.Queue[Chunk | EngineError | None] = asyncio.Queue()
        self.cancelled = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._text = text
        self._rate_hz = rate_hz
        self._trimmed = 0
        self._sent = 0  # samples
        self._pcm = bytearray()
        self._visemes: list[Viseme] = []
        self._words: list[WordMark] = []
        self._started = False
        self._word = -1  # start of the last one
        self._mouth = ""

    def run(self, library: EspeakLibrary, tone: Tone) -> None:
        """In the thread."""
        if self.cancelled.is_set():
            return
        last = self._text.rstrip(_CLOSING)[-1:]
        open_end = last not in PAUSES_S  # cut within a sentence: the voice must not fall as at its end
        try:
            library.speak(self._text + "," if open_end else self._text, tone, self._hear)
        except EngineError as error:
            self._hand_over(error)
            return
        if self.cancelled.is_set():
            return
        if not self._started:
            self._hand_over(EngineError("nothing_to_say", "eSpeak knows no sound for the segment"))
            return
        self._pause(round(PAUSES_S.get(last, 0.0) * self._rate_hz))
        self._flush()
        self._hand_over(None)

    def _hear(self, pcm: bytes, events: list[Phoneme | Word]) -> bool:
        if not self._started:
            pcm = self._trim(pcm)
        self._pcm += pcm
        for event in events:
            self._note(event)
        samples = len(self._pcm) // 2
        if self._started and samples and (self._sent == 0 or samples >= CHUNK_S * self._rate_hz):
            self._flush()
        return not self.cancelled.is_set() and self._sent < MAX_SOUND_S * self._rate_hz

    def _trim(self, pcm: bytes) -> bytes:
        samples = array("h", pcm)
        loud = next((index for index, sample in enumerate(samples) if abs(sample) > SILENCE), None)
        self._started = loud is not None
        keep = len(samples) if loud is None else max(0, loud - round(LEAD_S * self._rate_hz))
        self._trimmed += keep
        return pcm[keep * 2 :]

    def _note(self, event: Phoneme | Word) -> None:
        at = max(0, event.at - self._trimmed)
        if isinstance(event, Word):
            if event.start > self._word:  # a number is many sounding words and one written one
                self._word = event.start
                self._words.append(WordMark(at=at, start=event.start, end=min(event.end, len(self._text))))
            return
        shape = viseme_of(event.ipa)
        if shape != self._mouth:
            self._mouth = shape
            self._visemes.append(Viseme(at=at, viseme=shape, ipa=event.ipa))

    def _pause(self, samples: int) -> None:
        end = self._sent + len(self._pcm) // 2
        self._visemes = [viseme for viseme in self._visemes if viseme.at < end]
        if samples:
            self._pcm += bytes(samples * 2)
            if self._mouth != "sil":
                self._visemes.append(Viseme(at=end, viseme="sil"))

    def _flush(self) -> None:
        if not self._pcm:
            return
        chunk = Chunk(bytes(self._pcm), self._rate_hz, tuple(self._visemes), tuple(self._words))
        self._sent += len(self._pcm) // 2
        self._pcm.clear()
        self._visemes.clear()
        self._words.clear()
        self._hand_over(chunk)

    def _hand_over(self, item: Chunk | EngineError | None) -> None:
        if not self.cancelled.is_set():
            self._loop.call_soon_threadsafe(self.chunks.put_nowait, item)
