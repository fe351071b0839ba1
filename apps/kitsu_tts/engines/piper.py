"""Piper: neural voices (VITS as ONNX) that a CPU speaks faster than real time.

One sentence at a time is computed in one thread, then handed on in small pieces with the mouth shapes that the model's
own phoneme lengths give. The voices lie in `models/piper` (`kitsu download voice …`).
"""

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import onnxruntime
import piper

from kitsu.config import home
from kitsu.errors import ConfigError, EngineError
from kitsu_tts.config import TtsSettings
from kitsu_tts.installed import piper_voices
from kitsu_tts.mouth import Mouth
from kitsu_tts.phonemes import Marks, Spoken
from kitsu_tts.voice import MAX_SOUND_S, Chunk, Voice, speakable

CHUNK_S = 0.1
_RAW_PHONEMES = re.compile(r"\[\[+|\]\]+")
"""Piper says what stands in [[ ]] as phonemes: that would be speech that the gate has not read."""


class PiperVoice(Voice):
    """A voice of the Piper family."""

    name: ClassVar[str] = "piper"
    features: ClassVar[tuple[str, ...]] = ("word_marks", "exact_visemes")
    default_gain_db: ClassVar[float] = -1.0  # sentences are brought to full scale

    def __init__(self, settings: TtsSettings) -> None:
        super().__init__(settings)
        self._model: _Model | None = None
        self._wanted = ""  # NAME or NAME:SPEAKER

    async def load(self, stack: AsyncExitStack) -> None:
        self._thread = ThreadPoolExecutor(1, "piper")
        stack.callback(self._thread.shutdown, cancel_futures=True)
        try:
            await self.choose(self.settings.voice)
        except EngineError as error:
            raise ConfigError(error.code, f"tts.engine = piper: {error.message}") from None

    async def choose(self, voice: str) -> None:
        wanted = voice or next(iter(piper_voices()), "")
        name = wanted.partition(":")[0]
        model = self._model
        if model is None or model.name != name:
            model = await asyncio.get_running_loop().run_in_executor(self._thread, _Model, name)
        model.speaker(wanted)
        self._model, self._wanted = model, wanted
        async with aclosing(self.speak("Ready.")) as chunks:  # the first run is slow
            async for _ in chunks:
                pass

    def identity(self, voice: str) -> str | None:
        assert self._model is not None, "load() comes first"
        return f"piper {version('piper-tts')} {self._model.stamp} {voice or self._wanted} {self.settings.rate}"

    async def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        text = speakable(_RAW_PHONEMES.sub(lambda found: " " * len(found[0]), text))
        assert self._model is not None, "load() comes first"
        speaker = self._model.speaker(voice or self._wanted)
        utterance = _Utterance(text, speaker, 1 / self.settings.rate)
        self._thread.submit(utterance.run, self._model)
        try:
            while (chunk := await utterance.chunks.get()) is not None:
                if isinstance(chunk, EngineError):
                    raise chunk
                yield chunk
        finally:
            utterance.cancel()


class _Model:
    """One loaded voice. All calls but `speaker` belong in one thread."""

    def __init__(self, name: str) -> None:
        path = _path(name)
        try:
            self._voice = piper.PiperVoice.load(path, include_alignments=True)
        except MemoryError:
            raise EngineError("voice_out_of_memory", f"not enough memory for the voice {name}") from None
        except Exception as error:  # noqa: BLE001 - a broken model file fails in as many ways as there are bytes
            raise EngineError("bad_voice_file", f"{path.name} cannot be loaded ({type(error).__name__})") from None
        self.name = name
        self.stamp = f"{path.stat().st_size} {path.stat().st_mtime_ns}"  # changes with the file
        self.rate_hz = int(self._voice.config.sample_rate)
        self._session = self._voice.session

    def speaker(self, voice: str) -> int | None:
        """The speaker of `NAME:SPEAKER` (a name or a number), for voices with several.

        Raises:
            EngineError: `no_such_voice`.
        """
        name, _, wanted = voice.partition(":")
        if name != self.name:
            raise EngineError("no_such_voice", f"the voice {name!r} is not loaded; {self.name!r} is")
        if not wanted:
            return None
        config = self._voice.config
        number = config.speaker_id_map.get(wanted, int(wanted) if wanted.isdecimal() and len(wanted) < 6 else -1)
        if not 0 <= number < max(1, config.num_speakers):
            raise EngineError("no_such_voice", f"the voice {name} has no speaker {wanted!r}")
        return int(number)

    def sentences(self, text: str, speaker: int | None, slowness: float, options: Any) -> Iterator[Spoken]:
        """Each sentence's sound. `options`: onnxruntime's, whose `terminate` aborts a sentence under way."""
        scale = float(self._voice.config.length_scale) * slowness
        config = piper.SynthesisConfig(speaker_id=speaker, length_scale=scale)
        self._voice.session = _Abortable(self._session, options)
        for made in self._voice.synthesize(text, config, include_alignments=True):
            lengths = [(one.phoneme, int(one.num_samples)) for one in made.phoneme_alignments or ()]
            yield Spoken(made.audio_int16_bytes, lengths)


class _Abortable:
    """onnxruntime's session, with options for each run: Piper gives no way to pass them."""

    def __init__(self, session: Any, options: Any) -> None:
        self._session = session
        self._options = options

    def run(self, names: Any, inputs: Any) -> Any:
        """As `InferenceSession.run`."""
        return self._session.run(names, inputs, self._options)


class _Utterance:
    """One text on its way through the thread."""

    def __init__(self, text: str, speaker: int | None, slowness: float) -> None:
        self.chunks: asyncio.Queue[Chunk | EngineError | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._text = text
        self._speaker = speaker
        self._slowness = slowness
        self._options = onnxruntime.RunOptions()
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Nobody listens any more: stop in the middle of a sentence."""
        self._cancelled.set()
        self._options.terminate = True

    def run(self, model: _Model) -> None:
        """In the thread."""
        if self._cancelled.is_set():
            return
        try:
            self._speak(model)
        except EngineError as error:
            self._hand_over(error)
        except MemoryError:
            self._hand_over(EngineError("voice_out_of_memory", "not enough memory to speak", retryable=True))
        except Exception as error:  # noqa: BLE001 - onnxruntime raises many kinds; none may end the worker
            code = "voice_out_of_memory" if "alloc" in str(error).lower() else "voice_failed"
            self._hand_over(EngineError(code, f"Piper failed ({type(error).__name__})", retryable=True))
        else:
            self._hand_over(None)

    def _speak(self, model: _Model) -> None:
        marks, mouth, sent = Marks(self._text), Mouth(model.rate_hz), 0
        for sentence in model.sentences(self._text, self._speaker, self._slowness, self._options):
            step = 2 * round(CHUNK_S * model.rate_hz)
            for start in range(0, len(sentence.pcm), step):
                if self._cancelled.is_set():
                    return
                pcm = sentence.pcm[start : start + step]
                visemes, words = marks.between(sentence, sent, start // 2, (start + len(pcm)) // 2)
                if not sentence.lengths:  # a model that does not tell: by ear
                    visemes = mouth.feed(pcm, last=start + step >= len(sentence.pcm))
                self._hand_over(Chunk(pcm, model.rate_hz, visemes, words))
            sent += len(sentence.pcm) // 2
            if sent > MAX_SOUND_S * model.rate_hz:
                raise EngineError("voice_too_long", f"more than {MAX_SOUND_S:.0f} s of sound for one segment")
        if not sent:
            raise EngineError("nothing_to_say", "Piper knows no sound for the segment")

    def _hand_over(self, item: Chunk | EngineError | None) -> None:
        if not self._cancelled.is_set():
            self._loop.call_soon_threadsafe(self.chunks.put_nowait, item)


def _path(name: str) -> Path:
    if name not in piper_voices():
        there = ", ".join(piper_voices()) or "none; `kitsu download voice en_US-ljspeech-medium` fetches one"
        raise EngineError("no_such_voice", f"there is no Piper voice {name!r} here. There are: {there}")
    return home().piper_voices / f"{name}.onnx"
