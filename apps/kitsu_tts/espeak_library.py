"""eSpeak NG by ctypes. Structures and constants are those of its `speak_lib.h` (API 12, library 1.52).

Never call it from two threads: the library keeps its state in globals and dies.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kitsu.errors import EngineError

_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: sound goes to the callback, in the calling thread
_OPTIONS = 0x0001 | 0x0002 | 0x8000  # phoneme events, as IPA, don't call exit() on errors
_BUFFER_MS = 60  # the least it hands out at once, whatever is asked for
_POSITION_CHARACTER = 1
_UTF8 = 1
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_RATE, _PITCH, _RANGE = 1, 3, 4
_VARIANTS = "voices/!v"

WORDS_PER_MINUTE = 175  # the library's own pace
CONTINUE, STOP = 0, 1


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)  # samples (NULL at the end), their count, events up to one of type _EVENT_END


@dataclass(frozen=True, slots=True)
class Phoneme:
    """A sound begins."""

    at: int  # sample position in the utterance
    ipa: str  # stress marks included; empty: a pause


@dataclass(frozen=True, slots=True)
class Word:
    """A word begins."""

    at: int  # sample position in the utterance
    start: int  # code point index into the text
    end: int


@dataclass(frozen=True, slots=True)
class Tone:
    """How a voice speaks."""

    voice: str  # "en-us+f3": language, variant
    words_per_minute: int
    pitch: int  # 0..99
    range: int  # 0..99


Listener = Callable[[bytes, list[Phoneme | Word]], bool]
"""Gets PCM (s16le mono) and the events that lie in it, in order; False stops the utterance."""


class EspeakLibrary:
    """The loaded library. Make it, and use it, in one thread only."""

    def __init__(self) -> None:
        """Raises:
        EngineError: `voice_library_missing`, `voice_library_broken`.
        """
        try:
            import espeakng_loader  # a heavy wheel (20 MB of voices) that only this engine needs
        except ImportError:
            raise EngineError(
                "voice_library_missing",
                "the eSpeak library is not installed, so she has no voice. Run: pip install 'kitsu[espeak]'",
            ) from None
        self._data = Path(espeakng_loader.get_data_path())
        try:
            self._library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        except OSError as error:
            raise EngineError("voice_library_broken", f"the eSpeak library does not load: {error}") from None
        self.rate_hz: int = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER_MS, str(self._data).encode(), _OPTIONS
        )
        if self.rate_hz <= 0:
            raise EngineError("voice_library_broken", f"eSpeak finds no voice data in {self._data}")
        self._callback = _Callback(self._received)  # the library keeps only a pointer
        self._library.espeak_SetSynthCallback(self._callback)
        self._listener: Listener = lambda pcm, events: False
        self._tone: Tone | None = None

    def speak(self, text: str, tone: Tone, listener: Listener) -> None:
        """Speak `text`; returns when all of it was handed out, or within a chunk after the listener said stop.

        Raises:
            EngineError: `no_such_voice`, `voice_failed`.
        """
        self._set(tone)
        self._listener = listener
        data = text.encode("utf-8", "replace")
        code = self._library.espeak_Synth(
            data, ctypes.c_size_t(len(data) + 1), 0, _POSITION_CHARACTER, 0, _UTF8, None, None
        )
        if code != 0:
            raise EngineError("voice_failed", f"eSpeak ended with code {code}", retryable=True)

    def _set(self, tone: Tone) -> None:
        if tone == self._tone:
            return
        variant = tone.voice.partition("+")[2]  # the library takes unknown variants without a word
        known = not variant or (variant.replace("-", "").isalnum() and (self._data / _VARIANTS / variant).is_file())
        if not known or self._library.espeak_SetVoiceByName(tone.voice.encode()) != 0:
            self._tone = None
            raise EngineError("no_such_voice", f"eSpeak has no voice {tone.voice!r}; try en-us+f3 or de+f3")
        for parameter, value in ((_RATE, tone.words_per_minute), (_PITCH, tone.pitch), (_RANGE, tone.range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._tone = tone

    def _received(
        self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]"
    ) -> int:
        pcm = ctypes.string_at(samples, count * 2) if count > 0 and samples else b""
        return CONTINUE if self._listener(pcm, _events(events)) else STOP


def _events(raw: "ctypes._Pointer[_Event]") -> list[Phoneme | Word]:
    found: list[Phoneme | Word] = []
    index = 0
    while (event := raw[index]).type != _EVENT_END:
        index += 1
        if event.type == _EVENT_PHONEME:
            ipa = bytes(event.id.string).decode("utf-8", "ignore")  # up to 8 bytes: a code point may be cut
            found.append(Phoneme(event.sample, ipa))
        elif event.type == _EVENT_WORD and event.text_position > 0:
            start = event.text_position - 1
            found.append(Word(event.sample, start, start + event.length))
    return found
