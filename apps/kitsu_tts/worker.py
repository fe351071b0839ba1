"""Approved text in, sound out."""

import asyncio
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import ClassVar, Literal

import msgspec

from kitsu.config import load
from kitsu.errors import EngineError, ProtocolError
from kitsu.protocol import (
    Capabilities,
    ControlLevels,
    ControlPanic,
    ControlResume,
    HelloAccepted,
    Message,
    PanicConfirmed,
    Rewrite,
    Role,
    TtsAudio,
    TtsCancel,
    TtsFailed,
    TtsFinished,
    TtsSynthesize,
    TtsUse,
    TtsUsing,
    WordMark,
    checked,
    encode,
    origin_of,
)
from kitsu.speech.rewrites import written_span
from kitsu.telemetry import Latency, log
from kitsu.worker import Worker
from kitsu.worker.gens import Generations
from kitsu_tts.config import TtsSettings
from kitsu_tts.engines import ENGINES
from kitsu_tts.installed import voices
from kitsu_tts.rack import VoiceRack

_NO_KEY = b"\0" * 32
WAITING_LIMIT = 64  # requests beyond those in work


@dataclass(eq=False)
class _Job:
    """One segment on its way."""

    request: TtsSynthesize
    text: str
    received: float  # perf_counter
    task: "asyncio.Task[None] | None" = None
    samples: int = 0
    chunks: int = 0
    rate_hz: int = 0
    engine: str = ""  # who spoke last
    first_chunk_ms: float = 0.0


class TtsWorker(Worker):
    """Voices up to `max_parallel` segments at once, in the order they came."""

    role: ClassVar[Role] = "tts"

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        settings = load("tts", TtsSettings)
        self._cpml = settings.accept_cpml
        self._rack = VoiceRack(settings, self._announce)
        self._key = _NO_KEY
        self._gens = Generations()
        self._jobs: set[_Job] = set()
        self._slots = asyncio.Semaphore(settings.max_parallel)
        self._first_chunk = Latency()
        await self._rack.load(stack)
        return self._capabilities(settings.max_parallel)

    def _capabilities(self, max_parallel: int) -> Capabilities:
        voice = self._rack.current
        return Capabilities(
            engine=voice.name,
            engines=tuple(ENGINES),
            max_parallel=max_parallel,
            features=voice.features,
            voices=voices(cpml=self._cpml),
            note=self._rack.note,
        )

    async def joined(self, accepted: HelloAccepted) -> None:
        self._key = bytes.fromhex(accepted.seal_key) or _NO_KEY
        self._gens.begin(accepted.gens)
        asyncio.get_running_loop().call_soon(self._tell_trouble)  # joining itself says "ok"

    async def lost(self) -> None:
        """Nobody is left to hear it."""
        self._stop(self._jobs)

    def handle(self, message: Message, payload: memoryview | None) -> None:
        match message:
            case TtsSynthesize():
                self._accept(message)
            case TtsCancel():
                if not message.turn_id:  # one turn's end is not the others'
                    self._gens.raise_to({message.conv: message.gen})
                self._cancel(message)
            case TtsUse():
                self.tasks.create_task(self._use(message), name="tts use")
            case ControlPanic():
                self._panic(message)
            case ControlResume():
                self._gens.raise_to(message.gens)
            case ControlLevels():
                pass  # mute is playout's
            case _:
                log.info("tts.unexpected", type=type(message).__name__)

    def latency_ms(self) -> dict[str, float]:
        return self._first_chunk.summary("first_chunk")

    def _accept(self, request: TtsSynthesize) -> None:
        received = time.perf_counter()
        try:
            text = checked(request.speech, self._key, "speech", request.turn_id)
        except ProtocolError as error:
            self.error(error)
            self._fail(request, EngineError(error.code, "the text does not carry the gate's seal; it is not said"))
            return
        if self._gens.is_stale(request.conv, request.gen):
            self.send(self._finished(_Job(request, text, received), "cancelled"))
            return
        if len(self._jobs) >= WAITING_LIMIT:
            self._fail(request, EngineError("voice_busy", f"{WAITING_LIMIT} segments wait already", retryable=True))
            return
        job = _Job(request, text, received)
        self._jobs.add(job)
        job.task = self.tasks.create_task(self._work(job), name=f"tts {request.turn_id}/{request.segment}")
        job.task.add_done_callback(lambda task: self._done(job, task))

    async def _work(self, job: _Job) -> None:
        async with self._slots:
            try:
                async with aclosing(self._rack.speak(job.text, job.request.voice)) as chunks:
                    async for chunk in chunks:
                        audio = TtsAudio(
                            **origin_of(job.request),
                            segment=job.request.segment,
                            chunk=job.chunks,
                            position=job.samples,
                            rate_hz=chunk.rate_hz,
                            gain_db=chunk.gain_db,
                            visemes=chunk.visemes,
                            words=_as_written(chunk.words, job.request.rewrites),
                        )
                        await self.send_media(audio, chunk.pcm)
                        if not job.chunks:
                            job.first_chunk_ms = (time.perf_counter() - job.received) * 1000
                            self._first_chunk.add(job.first_chunk_ms)
                        job.chunks += 1
                        job.samples += len(chunk.pcm) // 2
                        job.rate_hz, job.engine = chunk.rate_hz, chunk.engine
            except EngineError as error:
                log.warning("tts.failed", code=error.code, turn_id=job.request.turn_id)
                await self._end(self._failed(job.request, error, job.samples))
            else:
                await self._end(self._finished(job, "done"))

    async def _end(self, end: TtsFinished | TtsFailed) -> None:
        """Goes with the media: an end must not overtake its own sound."""
        await self.outbox.put_waiting(end.conv, end.gen, encode(end), end.turn_id)

    def _done(self, job: _Job, task: "asyncio.Task[None]") -> None:
        self._jobs.discard(job)
        if task.cancelled():
            self.send(self._finished(job, "cancelled"))
        self._tell_trouble()

    async def _use(self, order: TtsUse) -> None:
        try:
            await self._rack.use(order.engine, order.voice)
        except EngineError as error:
            log.warning("tts.not_switched", code=error.code)
            engine = self._rack.current.name
            self.send(TtsUsing(parent_id=order.id, engine=engine, code=error.code, message=error.message))
        else:
            log.info("tts.switched", engine=order.engine)
            self.send(TtsUsing(parent_id=order.id, engine=order.engine, voice=order.voice))
            self._tell_trouble()
            self.send(self.health())

    def _cancel(self, order: TtsCancel) -> None:
        self._stop(job for job in self._jobs if _concerns(order, job.request))
        self.outbox.flush(order.conv, order.gen, order.turn_id)

    def _panic(self, order: ControlPanic) -> None:
        received = time.perf_counter()
        self._gens.raise_to(order.gens)
        stopped = len(self._jobs)
        self._stop(self._jobs)
        for conv, gen in order.gens.items():
            self.outbox.flush(conv, gen)
        self.send(
            PanicConfirmed(
                panic_id=order.panic.panic_id,
                exit="voice",
                latency_ms=(time.perf_counter() - received) * 1000,
                detail=f"{stopped} segments stopped",
            )
        )

    def _stop(self, jobs: Iterable[_Job]) -> None:
        for job in tuple(jobs):
            if job.task is not None:
                job.task.cancel()

    def _fail(self, request: TtsSynthesize, error: EngineError) -> None:
        self.send(self._failed(request, error, 0))

    def _failed(self, request: TtsSynthesize, error: EngineError, samples: int) -> TtsFailed:
        return TtsFailed(
            **origin_of(request),
            segment=request.segment,
            code=error.code,
            message=error.message,
            retryable=error.retryable,
            engine=self._rack.current.name,
            samples=samples,
        )

    def _finished(self, job: _Job, reason: Literal["done", "cancelled"]) -> TtsFinished:
        return TtsFinished(
            **origin_of(job.request),
            segment=job.request.segment,
            reason=reason,
            samples=job.samples,
            rate_hz=job.rate_hz,
            engine=job.engine or self._rack.current.name,
            first_chunk_ms=job.first_chunk_ms,
        )

    def _tell_trouble(self) -> None:
        self.capabilities = self._capabilities(self.capabilities.max_parallel)
        trouble = self._rack.trouble
        self.feel("degraded" if trouble else "ok", trouble)

    def _announce(self, error: EngineError) -> None:
        self.error(error)
        self._tell_trouble()


def _as_written(words: tuple[WordMark, ...], rewrites: tuple[Rewrite, ...]) -> tuple[WordMark, ...]:
    """Marks with the places that the words have in the caption."""
    if not rewrites:
        return words
    places = [written_span(rewrites, word.start, word.end) for word in words]
    return tuple(
        msgspec.structs.replace(word, start=start, end=end) for word, (start, end) in zip(words, places, strict=True)
    )


def _concerns(order: TtsCancel, request: TtsSynthesize) -> bool:
    """Whether a request is to be stopped. A turn that was thrown away unheard ends within its generation."""
    if order.turn_id:
        return request.turn_id == order.turn_id and request.gen <= order.gen
    return request.conv == order.conv and request.gen < order.gen
