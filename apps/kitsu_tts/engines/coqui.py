"""Coqui's VITS voices, in a Python of their own: its pins clash with ours, and torch is large.

`kitsu install coqui` makes the environment; the voices lie in `engines/coqui/models/NAME`. One process is kept, which
speaks one utterance after the other; one that nobody listens to any more is finished there and thrown away here.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec

import kitsu_tts.coqui_child
from kitsu.config import home
from kitsu.errors import ConfigError, EngineError
from kitsu.telemetry import log
from kitsu_tts.config import TtsSettings
from kitsu_tts.installed import coqui_python, coqui_voices
from kitsu_tts.mouth import Mouth
from kitsu_tts.voice import Chunk, Voice, speakable

LOAD_S = 120.0  # torch alone takes seconds, a large model on a slow disk much longer
STOP_S = 2.0
MAX_PART = 1 << 20


class _About(msgspec.Struct):
    """The process's first word."""

    ready: bool = False
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
    """A VITS voice of coqui's."""

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
        wanted = voice or next(iter(coqui_voices()), "")
        name, _, speaker = wanted.partition(":")
        child = self._child
        if child is None or child.name != name or child.ended:
            child = await _Child.start(name)
        if speaker and speaker not in child.about.speakers:
            if child is not self._child:
                await child.stop()
            raise EngineError("no_such_voice", f"the voice {name} has no speaker {speaker!r}")
        if child is not self._child:
            await self._stop()
        self._child, self._wanted = child, wanted
        async for _ in self.speak("Ready."):
            pass

    def identity(self, voice: str) -> str | None:
        folder = home().coqui / "models" / self._wanted.partition(":")[0]
        return f"coqui {_stamp(folder / 'model.pth')} {voice or self._wanted} {self.settings.rate}"

    async def speak(self, text: str, voice: str = "") -> AsyncGenerator[Chunk, None]:
        text = speakable(text)
        child = self._child
        if child is None or child.ended:
            child = self._child = await _Child.start(self._wanted.partition(":")[0])
        speaker = (voice or self._wanted).partition(":")[2]
        mouth, held = Mouth(child.about.rate_hz), b""
        async for pcm in child.speak(text, speaker, self.settings.rate):
            if held:
                yield Chunk(held, child.about.rate_hz, mouth.feed(held))
            held = pcm  # until it is known whether it is the last one: that one closes the mouth
        if not held:
            raise EngineError("nothing_to_say", "coqui made no sound of the segment")
        yield Chunk(held, child.about.rate_hz, mouth.feed(held, last=True))

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
    async def start(cls, name: str) -> "_Child":
        """Load a voice.

        Raises:
            EngineError: `no_such_voice`, `bad_voice_file`, `voice_out_of_memory`, `voice_failed`, `voice_timeout`.
        """
        if name not in coqui_voices():
            there = ", ".join(coqui_voices()) or "none"
            raise EngineError("no_such_voice", f"there is no coqui voice {name!r} here. There are: {there}")
        script = Path(kitsu_tts.coqui_child.__file__)
        process = await asyncio.create_subprocess_exec(
            *(str(coqui_python()), "-I", str(script), str(home().coqui / "models" / name)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=sys.stderr.fileno() if _has_file(sys.stderr) else asyncio.subprocess.DEVNULL,
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
            raise EngineError(about.failed or "voice_failed", f"{name} cannot be loaded: {about.message}")
        log.info("coqui.loaded", voice=name, device=about.device)
        return child

    async def speak(self, text: str, speaker: str, rate: float) -> AsyncGenerator[bytes, None]:
        """The sound of one utterance. Leaving before its end costs the next one the wait for its rest.

        Raises:
            EngineError: `voice_cut` when the process died, or its own code.
        """
        await self._turnstile.acquire()
        parts: asyncio.Queue[bytes | EngineError | None] = asyncio.Queue()
        self._number += 1
        self._reading = asyncio.create_task(self._read(self._number, text, speaker, rate, parts), name="coqui")
        self._reading.add_done_callback(lambda _: self._turnstile.release())
        while (part := await parts.get()) is not None:
            if isinstance(part, EngineError):
                raise part
            yield part

    async def _read(
        self, number: int, text: str, speaker: str, rate: float, parts: "asyncio.Queue[bytes | EngineError | None]"
    ) -> None:
        assert self._process.stdin
        assert self._process.stdout
        order = {"id": number, "text": text, "speaker": speaker, "language": "", "rate": rate}
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
            self._kill()
            said = "the voice's process ended" if isinstance(error, OSError | EOFError) else "it sent what is no frame"
            parts.put_nowait(EngineError("voice_cut", said, retryable=True))

    async def stop(self) -> None:
        """End the process."""
        if self._reading is not None:
            self._reading.cancel()
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(STOP_S):
                await self._process.wait()
        except TimeoutError:
            self._kill()
            await self._process.wait()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()


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


def _has_file(stream: object) -> bool:
    try:
        stream.fileno()  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False
    return True
