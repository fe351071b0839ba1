"""A line in, the model's raw words out."""

import asyncio
import time
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from kitsu.config import PolicySettings, load
from kitsu.errors import EngineError
from kitsu.protocol import (
    Capabilities,
    ControlLevels,
    ControlPanic,
    ControlResume,
    HelloAccepted,
    Message,
    PanicConfirmed,
    PolicyCancel,
    PolicyDelta,
    PolicyFailed,
    PolicyFinished,
    PolicyPrepare,
    PolicyRespond,
    Role,
    origin_of,
)
from kitsu.telemetry import Latency, log
from kitsu.worker import Worker
from kitsu.worker.gens import Generations
from kitsu_policy.brain import Brain, Piece
from kitsu_policy.engines import ENGINES, make

WAITING_LIMIT = 32  # answers at once, those that wait included
ABORT_S = 0.5  # a panic is confirmed after so long even if a request is still closing: nothing of it can get out


@dataclass(eq=False)
class _Job:
    """One answer on its way."""

    request: PolicyRespond
    received: float = field(default_factory=time.perf_counter)
    task: "asyncio.Task[None] | None" = None
    engine: str = ""  # who says it
    tokens: int = 0
    first_token_ms: float = 0.0
    over: bool = False  # its end was sent, or nobody waits for it any more


class PolicyWorker(Worker):
    """Answers up to `max_parallel` lines at once, in the order they came."""

    role: ClassVar[Role] = "policy"

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        settings = load("policy", PolicySettings)
        self._max_parallel = settings.max_parallel
        self._brain: Brain = make(settings)
        self._brain.on_change = self._brain_changed
        self._brain.on_error = self.error
        self._gens = Generations()
        self._jobs: set[_Job] = set()
        self._slots = asyncio.Semaphore(settings.max_parallel)
        self._first_token = Latency()
        await self._brain.load(stack)
        return self._describe()

    async def joined(self, accepted: HelloAccepted) -> None:
        self._gens.begin(accepted.gens)
        self._tell_trouble()

    async def lost(self) -> None:
        """Nobody is left to hear it."""
        for job in self._jobs:
            job.over = True
            self._stop(job)

    def handle(self, message: Message, payload: memoryview | None) -> None:
        match message:
            case PolicyRespond():
                self._accept(message)
            case PolicyCancel():
                self._cancel(message)
            case PolicyPrepare():
                self._brain.prepare(message)
            case ControlPanic():
                self._panic(message)
            case ControlResume():
                self._gens.raise_to(message.gens)
            case ControlLevels():
                pass  # mute is playout's
            case _:
                log.info("policy.unexpected", type=type(message).__name__)

    def latency_ms(self) -> dict[str, float]:
        return self._first_token.summary("first_token")

    def _describe(self) -> Capabilities:
        active = self._brain.active
        return Capabilities(
            engine=active.name,
            engines=tuple(ENGINES),
            max_parallel=self._max_parallel,
            features=active.features,
            note=self._brain.note,
        )

    def _brain_changed(self) -> None:
        """The hub hears of it at once, and with every health message from now on."""
        self.capabilities = self._describe()
        if not self._tell_trouble():
            self.send(self.health())

    def _accept(self, request: PolicyRespond) -> None:
        job = _Job(request)
        if self._gens.is_stale(request.conv, request.gen):
            self._finish(job, "cancelled")
            return
        if len(self._jobs) >= WAITING_LIMIT:
            self._fail(job, EngineError("brain_busy", f"{WAITING_LIMIT} lines wait for an answer", retryable=True))
            return
        self._jobs.add(job)
        job.task = self.tasks.create_task(self._work(job), name=f"policy {request.turn_id}")
        job.task.add_done_callback(lambda task: self._done(job))

    async def _work(self, job: _Job) -> None:
        async with self._slots:
            try:
                async with aclosing(self._brain.answer(job.request)) as pieces:
                    async for piece in pieces:
                        self._pass_on(job, piece)
            except EngineError as error:
                log.warning("policy.failed", code=error.code, turn_id=job.request.turn_id)
                self._fail(job, error)

    def _pass_on(self, job: _Job, piece: Piece) -> None:
        job.engine = piece.engine
        if piece.text:
            if not job.tokens:
                job.first_token_ms = (time.perf_counter() - job.received) * 1000
                self._first_token.add(job.first_token_ms)
            job.tokens += 1
            self.send(PolicyDelta(**origin_of(job.request), text=piece.text))
        if piece.end:
            self._finish(job, piece.end)

    def _done(self, job: _Job) -> None:
        self._jobs.discard(job)
        self._finish(job, "cancelled")
        self._tell_trouble()

    def _cancel(self, order: PolicyCancel) -> None:
        for job in self._jobs:
            request = job.request
            if request.conv == order.conv and request.turn_id == order.turn_id and request.gen <= order.gen:
                self._stop(job)

    def _panic(self, order: ControlPanic) -> None:
        received = time.perf_counter()
        self._gens.raise_to(order.gens)
        stopped = [job.task for job in self._jobs if job.task is not None and self._stop(job)]
        self.tasks.create_task(self._confirm(order, received, stopped))

    async def _confirm(self, order: ControlPanic, received: float, stopped: "list[asyncio.Task[None]]") -> None:
        if stopped:
            await asyncio.wait(stopped, timeout=ABORT_S)
        self.send(
            PanicConfirmed(
                panic_id=order.panic.panic_id,
                exit="brain",
                latency_ms=(time.perf_counter() - received) * 1000,
                detail=f"{len(stopped)} answers stopped",
            )
        )

    def _stop(self, job: _Job) -> bool:
        return job.task is not None and job.task.cancel()

    def _finish(self, job: _Job, reason: Literal["stop", "length", "cancelled"]) -> None:
        if job.over:
            return
        job.over = True
        self.send(
            PolicyFinished(
                **origin_of(job.request),
                reason=reason,
                engine=job.engine or self._brain.active.name,
                first_token_ms=round(job.first_token_ms, 2),
                tokens=job.tokens,
            )
        )

    def _fail(self, job: _Job, error: EngineError) -> None:
        if job.over:
            return
        job.over = True
        self.send(
            PolicyFailed(
                **origin_of(job.request),
                code=error.code,
                message=error.message,
                retryable=error.retryable,
                engine=job.engine or self._brain.active.name,
            )
        )

    def _tell_trouble(self) -> bool:
        return self.feel("degraded" if self._brain.trouble else "ok", self._brain.trouble)
