"""When the recogniser's model is read, and what becomes of what is said meanwhile. Real child, real recognition."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from kitsu_asr import recogniser
from kitsu_asr.engine import Choice
from kitsu_asr.messages import News
from kitsu_asr.pcm import to_s16
from kitsu_asr.recogniser import Recogniser
from tests.fakes.speech import speak

WAIT_S = 30


class Told:
    """What the recogniser said."""

    def __init__(self) -> None:
        self.news: list[News] = []
        self.arrived = asyncio.Event()

    def add(self, news: News) -> None:
        self.news.append(news)
        self.arrived.set()

    async def of(self, kind: str) -> News:
        async with asyncio.timeout(WAIT_S):
            while not (found := [news for news in self.news if news.kind == kind]):
                self.arrived.clear()
                await self.arrived.wait()
        return found[0]


@asynccontextmanager
async def running(names: tuple[str, ...] = ("pocketsphinx",)) -> AsyncIterator[tuple[Recogniser, Told]]:
    told = Told()
    made = Recogniser(names, lambda name: Choice(), commands=False, on_news=told.add, on_change=lambda: None)
    task = asyncio.create_task(made.run())
    try:
        yield made, told
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_nothing_is_read_before_there_is_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    started = asyncio.Event()
    real = recogniser.start

    async def start() -> asyncio.subprocess.Process:
        started.set()
        return await real()

    monkeypatch.setattr(recogniser, "start", start)
    async with running() as (made, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await started.wait()
        made.wake()
        async with asyncio.timeout(WAIT_S):
            await made.settled.wait()
        assert made.state == "ready"


async def test_what_is_said_while_it_is_read_waits() -> None:
    said = to_s16(await speak("this is a test and then we go home"))
    async with running() as (made, told):
        made.wake()
        assert made.open("one", "en", (), commands=False)
        made.feed("one", said)
        assert made.finish("one")
        final = await told.of("final")
        assert final.heard is not None
        assert {"this", "is", "test"} & set(final.heard.text.split())


async def test_what_is_too_long_to_wait_is_given_up_and_the_next_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recogniser, "FULL_BYTES", 64_000)
    async with running() as (made, told):
        made.open("long", "en", (), commands=False)
        for _ in range(5):
            made.feed("long", bytes(32_000))
        assert (await told.of("error")).id == "long"
        assert not made.finish("long")
        made.wake()
        async with asyncio.timeout(WAIT_S):
            await made.settled.wait()
        assert made.open("next", "en", (), commands=False)
        made.finish("next")
        assert (await told.of("final")).id == "next"


async def test_when_nothing_can_be_read_nobody_waits() -> None:
    async with running(("faster_whisper",)) as (made, told):
        made.wake()
        made.open("one", "en", (), commands=False)
        assert (await told.of("error")).id == "one"
        assert made.state == "failed"
        assert not made.open("two", "en", (), commands=False)
