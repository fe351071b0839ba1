"""Coqui's voices, in a Python of their own: its pins clash with ours, and torch is large.

`kitsu install coqui` makes the environment; the voices lie in `engines/coqui/models/NAME`. One process is kept, which
speaks one utterance after the other; one that nobody listens to any more is finished there and thrown away here.

VITS voices by default. An XTTS model speaks only when it is named, and only with `tts.accept_cpml`: its licence forbids
commercial use.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

import kitsu_tts.coqui_child
from kitsu import coqui
from kitsu.config import home
from kitsu.errors import ConfigError, EngineError
from kitsu.telemetry import log
from kitsu.worker.child import child_stderr, kill_child, stop_child
from kitsu_tts.config import TtsSettings
from kitsu_tts.installed import coqui_python
from kitsu_tts.mouth import Mouth
from kitsu_tts.voice import Chunk, Voice, speakable

LOAD_S = 120.0  # torch alone takes seconds, a large model on a slow disk much longer
STOP_S = 2.0
MAX_PART = 1 << 20


class _About(msgspec.Struct):
    """The process's first word."""

    ready: bool = False
    kind: str = "vits"
    rate_hz: Annotated[int, msgspec.Meta(ge=8_000, le=48_000)] = 22_050
    speakers: list[str] = []
    languages: list[str] = []
    device: str = "cpu"
    failed: str = ""
    message: str = ""


class _Head(msgspec.Struct):
    """One frame's head."""

    id: int
    bytes: Annotated[int, msgspec.Meta(ge=0, le=MAX_PART)] = 0
    end: bool = False
    error: str = ""
    message: str = ""


class CoquiVoice(Voice):
    """A voice of coqui's."""

    name: ClassVar[str] = "coqui"
    default_gain_db: ClassVar[float] = -1.0  # utterances are brought to nearly full scale

    def __init__(self, settings: TtsSettings) -> None:
        super().__init__(settings)
        self._child: _Child | None = None
        self._wanted = ""  # NAME or NAME:SPEAKER

    async def load(self, stack: AsyncExitStack) -> None:
        stack.push_async_callback(self._stop)
        try:
            await self.choose(self.settings.voice)
        except EngineError as error:
            raise ConfigError(error.code, f"tts.engine = coqui: {error.message}") from None

    async def choose(self, voice: str) -> None:
        wanted = voice or next(iter(coqui.voices(home())), "")
        name, _, speaker = wanted.partition(":")
        child = self._child
        if child is None or child.name != name or child.ended:
            child = await _Child.start(name, accept_cpml=self.settings.accept_cpml)
        if speaker and speaker not in child.about.speakers:
            if child is not self._child:
                await child.stop()
            raise EngineError("no_such_voice", f"the voice {name} has no speaker {speaker!r}")
        language = self.settings.language
        if child.about.kind == "xtts" and language and language not in child.about.languages:
            if child is not self._child:
                await child.stop()
            there = ", ".join(child.about.languages)
            raise EngineError("no_such_language", f"{name} does not speak tts.language = {language!r}, but {there}")
        if child is not self._child:
            await self._stop()
        self._child, self._wanted = child, wanted
        self.note = f"{name} is an XTTS model. {coqui.CPML}" if child.about.kind == "xtts" else ""
        async for _ in self.speak("Ready."):
            pass

    def identity(self, voice: str) -> str | None:
        folder = home().coqui / "models" / self._wanted.partition(":")[0]
        files = [folder / "model.pth", *sorted((folder / "speakers").glob("*.wav"))]
        made = " ".join(map(_stamp, files))
        return f"coqui {made} {voice or self._wanted} {self.settings.rate} {self.settings.language}"

    async def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        text = speakable(text)
        child = self._child
        if child is None or child.ended:
            name = self._wanted.partition(":")[0]
            child = self._child = await _Child.start(name, accept_cpml=self.settings.accept_cpml)
        speaker = (voice or self._wanted).partition(":")[2]
        mouth, held = Mouth(child.about.rate_hz), b""
        async for pcm in child.speak(text, speaker, self._language(child), self.settings.rate):
            if held:
                yield Chunk(held, child.about.rate_hz, mouth.feed(held))
            held = pcm  # until it is known whether it is the last one: that one closes the mouth
        if not held:
            raise EngineError("nothing_to_say", "coqui made no sound of the segment")
        yield Chunk(held, child.about.rate_hz, mouth.feed(held, last=True))

    def _language(self, child: "_Child") -> str:
        """The setting's, where the voice has a choice."""
        return self.settings.language if self.settings.language in child.about.languages else ""

    async def _stop(self) -> None:
        if self._child is not None:
            await self._child.stop()
            self._child = None


class _Child:
    """The process with the model."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, about: _About) -> None:
        self.name = name
        self.about = about
        self._process = process
        self._number = 0
        self._turnstile = asyncio.Lock()  # one utterance at a time
        self._reading: asyncio.Task[None] | None = None
        self._broken = False  # it sends no frames any more

    @property
    def ended(self) -> bool:
        """It is gone."""
        return self._broken or self._process.returncode is not None

    @classmethod
    async def start(cls, name: str, *, accept_cpml: bool) -> "_Child":
        """Load a voice.

        Raises:
            EngineError: `no_such_voice`, `licence_not_accepted`, `torchaudio_missing`, `no_speaker`, `bad_voice_file`,
                `voice_out_of_memory`, `voice_failed`, `voice_timeout`.
        """
        xtts = name in coqui.xtts_voices(home())
        if xtts and not accept_cpml:
            raise _not_accepted(name)
        if not xtts and name not in coqui.voices(home()):
            there = ", ".join(coqui.voices(home())) or "none"
            raise EngineError("no_such_voice", f"there is no coqui voice {name!r} here. There are: {there}")
        script = Path(kitsu_tts.coqui_child.__file__)
        process = await asyncio.create_subprocess_exec(
            *(str(coqui_python()), "-I", str(script), str(home().coqui / "models" / name)),
            *(["--accept-cpml"] if accept_cpml else []),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=child_stderr(),
            limit=1 << 16,
        )
        try:
            async with asyncio.timeout(LOAD_S):
                about = await _first_word(process)
        except TimeoutError:
            about = _About(failed="voice_timeout", message=f"the voice did not load within {LOAD_S:g} s")
        except asyncio.CancelledError:
            process.kill()
            raise
        child = cls(name, process, about)
        if not about.ready:
            await child.stop()
            if about.failed == "licence_not_accepted":
                raise _not_accepted(name)
            raise EngineError(about.failed or "voice_failed", f"{name} cannot be loaded: {about.message}")
        log.info("coqui.loaded", voice=name, device=about.device)
        return child

    async def speak(self, text: str, speaker: str, language: str, rate: float) -> AsyncGenerator[bytes, None]:
        """The sound of one utterance. Leaving before its end costs the next one the wait for its rest.

        Raises:
            EngineError: `voice_cut` when the process died, or its own code.
        """
        await self._turnstile.acquire()
        parts: asyncio.Queue[bytes | EngineError | None] = asyncio.Queue()
        self._number += 1
        order = {"id": self._number, "text": text, "speaker": speaker, "language": language, "rate": rate}
        self._reading = asyncio.create_task(self._read(self._number, order, parts), name="coqui")
        self._reading.add_done_callback(lambda _: self._turnstile.release())
        while (part := await parts.get()) is not None:
            if isinstance(part, EngineError):
                raise part
            yield part

    async def _read(
        self, number: int, order: dict[str, object], parts: "asyncio.Queue[bytes | EngineError | None]"
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(msgspec.json.encode(order) + b"\n")
            await self._process.stdin.drain()
            while True:
                line = await self._process.stdout.readline()
                head = msgspec.json.decode(line, type=_Head)
                if head.id != number:
                    raise ValueError("another utterance's frame")
                if head.error:
                    retryable = head.error == "voice_failed"
                    parts.put_nowait(EngineError(head.error, head.message[:200], retryable=retryable))
                    return
                if head.end:
                    parts.put_nowait(None)
                    return
                parts.put_nowait(await self._process.stdout.readexactly(head.bytes))
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            self._broken = True
            kill_child(self._process)
            said = "the voice's process ended" if isinstance(error, OSError | EOFError) else "it sent what is no frame"
            parts.put_nowait(EngineError("voice_cut", said, retryable=True))

    async def stop(self) -> None:
        """End the process."""
        if self._reading is not None:
            self._reading.cancel()
        await stop_child(self._process, STOP_S)


def _not_accepted(name: str) -> EngineError:
    return EngineError(
        "licence_not_accepted",
        f"{name} is an XTTS model. {coqui.CPML} If that suits your channel: kitsu install coqui --accept-cpml, or set "
        "tts.accept_cpml: true and restart the voice. If not: kitsu voice lists the others",
    )


async def _first_word(process: asyncio.subprocess.Process) -> _About:
    assert process.stdout
    line = await process.stdout.readline()
    try:
        return msgspec.json.decode(line, type=_About)
    except (ValueError, msgspec.MsgspecError):
        return _About(failed="voice_failed", message="its process ended before it said a word; see kitsu logs tts")


def _stamp(path: Path) -> str:
    try:
        stat = path.stat()
    except OSError:
        return "none"
    return f"{stat.st_size} {stat.st_mtime_ns}"
