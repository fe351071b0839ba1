"""Steps, done: one batch that looks and asks, then OBS's own events as proof."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from kitsu.errors import EngineError
from kitsu.protocol import ObsStep
from kitsu_obs.connection import Event, result_of
from kitsu_obs.steps import AnyStep, Json


@dataclass(eq=False)
class Result:
    """How one step went."""

    step: AnyStep
    seen: Json | None = None  # how it was before; None: that could not be seen
    error: str = ""
    already: bool = False
    proven_ms: float | None = None  # order -> event

    @property
    def good(self) -> bool:
        """It is so now, as far as OBS says at all."""
        return not self.error and (self.already or self.proven_ms is not None or not self.step.proof)

    @property
    def open(self) -> bool:
        """OBS still has to send its event."""
        return not self.error and not self.good

    def told(self) -> ObsStep:
        """For the hub."""
        title, proof = self.step.title, self.step.proof
        if self.error:
            return ObsStep(step=title, state="failed", detail=self.error)
        if self.already:
            return ObsStep(step=title, state="already", confirmed_by="query")
        if self.proven_ms is not None:
            return ObsStep(step=title, state="done", confirmed_by=proof, ms=round(self.proven_ms, 1))
        if not proof:
            return ObsStep(step=title, state="unproven", detail="OBS sends no event for this")
        return ObsStep(step=title, state="failed", detail=f"OBS did not send {proof}")


@dataclass(eq=False)
class Performance:
    """Steps on their way; gets every event of OBS while it is watched."""

    results: list[Result]
    began: float = field(default_factory=time.perf_counter)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, steps: Sequence[AnyStep]) -> "Performance":
        return cls([Result(step) for step in steps])

    def see(self, event: Event) -> None:
        """One event: it may prove a step."""
        for result in self.results:
            mine = event.name == result.step.proof and event.at >= self.began
            if mine and result.proven_ms is None and result.step.proven_by(event.data):
                result.proven_ms = (event.at - self.began) * 1000
                self._news.set()

    async def proven(self, timeout_s: float) -> None:
        """Until no event is missing any more, or the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                while any(result.open for result in self.results):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pass  # the results say what is missing

    @property
    def last_ms(self) -> float:
        """Order -> last event."""
        return max((result.proven_ms or 0.0 for result in self.results), default=0.0)


class Link(Protocol):
    """What performing needs of `ObsLink`."""

    def watch(self, performance: Performance) -> None: ...
    def unwatch(self, performance: Performance) -> None: ...
    async def batch(self, requests: list[Json], timeout_s: float) -> list[Json]: ...


@contextmanager
def watched(link: Link, steps: Sequence[AnyStep]) -> Iterator[Performance]:
    """A performance that hears OBS's events until the block ends."""
    performance = Performance.of(steps)
    link.watch(performance)
    try:
        yield performance
    finally:
        link.unwatch(performance)


async def ask_for(link: Link, performance: Performance, timeout_s: float) -> None:
    """Send everything as one batch: first how it is, then the changes. The events come after that.

    Raises:
        EngineError: OBS is not there or did not answer; then it is not known what was done.
    """
    steps = [result.step for result in performance.results]
    looks, changes = [step.look() for step in steps], [step.change() for step in steps]
    requests = [request for group in (*looks, *changes) for request in group]
    answers = iter(await link.batch(requests, timeout_s) if requests else [])
    for result, group in zip(performance.results, looks, strict=True):
        _seen(result, [next(answers) for _ in group])
    for result, group in zip(performance.results, changes, strict=True):
        _changed(result, [next(answers) for _ in group])


async def perform(link: Link, steps: Sequence[AnyStep], timeout_s: float) -> Performance:
    """Do all steps, as far as they go. Raises like `ask_for`."""
    with watched(link, steps) as performance:
        await ask_for(link, performance, timeout_s)
        await performance.proven(timeout_s)
    return performance


def _seen(result: Result, answers: list[Json]) -> None:
    if not answers:
        return
    try:
        result.seen = result_of(str(answers[-1].get("requestType")), answers[-1])
    except EngineError:
        return  # the change will say what is wrong
    result.already = result.step.is_so(result.seen)


def _changed(result: Result, answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        try:
            result_of(str(answer.get("requestType")), answer)
        except EngineError as error:
            result.error = error.message
