"""The ears without a hub: one source, the real recogniser's process, and everything that comes out."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import numpy as np

from bench.errors import BenchError
from bench.spoken import RATE_HZ, Samples
from kitsu.protocol import AsrCommand, AsrDropped, AsrFinal, Message
from kitsu_asr import choosing
from kitsu_asr.config import AsrSettings
from kitsu_asr.echo import Reference
from kitsu_asr.grammar import Vocabulary
from kitsu_asr.listener import Listener
from kitsu_asr.messages import News
from kitsu_asr.recogniser import Recogniser
from kitsu_asr.source import Known, Source
from kitsu_asr.vad import FRAME, make_vad

End = AsrFinal | AsrCommand | AsrDropped
LOAD_S, END_S = 60.0, 10.0
AHEAD_S = 0.08  # playout gives out its sound so much earlier than it is heard


class Ears:
    """One microphone."""

    def __init__(self, settings: AsrSettings, known: Known) -> None:
        self.messages: list[Message] = []
        self.reference = Reference()
        self._told = asyncio.Event()
        self.recogniser = Recogniser(
            choosing.order(settings),
            lambda name: choosing.choice(settings, name),
            commands=settings.commands,
            on_news=self._news,
            on_change=lambda: None,
        )
        vad = make_vad(settings.vad, settings.vad_level)
        source = Source("bench", "file", "stage")
        self.listener = Listener(source, settings, self.recogniser, vad, known, self._heard, self.reference)
        self._virtual_s = 1000.0
        self._position = 0

    async def hear(self, sound: Samples, hers: Samples | None = None, *, real_time: bool) -> list[Message]:
        """Give it the sound, and wait for the end of every utterance; returns what came out.

        Args:
            hers: what Kitsu says meanwhile, as playout knows it.
            real_time: at the pace of speech, as a microphone does; or as fast as the recogniser can.
        """
        first = len(self.messages)
        began = time.perf_counter() if real_time else self._virtual_s
        given = 0
        for at in range(0, len(sound), FRAME):
            end_s = began + (at + FRAME) / RATE_HZ
            while hers is not None and given < min(len(hers), at + AHEAD_S * RATE_HZ):
                self.reference.add(self._position, hers[given : given + FRAME], began + given / RATE_HZ)
                self._position += len(hers[given : given + FRAME])
                given += FRAME
            if real_time:
                await asyncio.sleep(max(0.0, end_s - time.perf_counter()))
            elif at % (FRAME * 50) == 0:
                await asyncio.sleep(0)
            self.listener.feed(sound[at : at + FRAME], end_s)
        self._virtual_s += len(sound) / RATE_HZ + 5
        self._position += RATE_HZ * 10  # the next one is another run
        await self._idle()
        return self.messages[first:]

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(END_S):
                while self.listener.busy:
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            raise BenchError("no_end", "an utterance had no end") from None

    def _news(self, news: News) -> None:
        self.listener.news(news, time.perf_counter())
        self._told.set()

    def _heard(self, message: Message) -> None:
        self.messages.append(message)


@asynccontextmanager
async def listening(settings: AsrSettings, scenes: Sequence[str] = ()) -> AsyncIterator[Ears]:
    """Ears whose recogniser is loaded."""
    vocabulary = Vocabulary(tuple(scenes), settings.panic_phrase)
    ears = Ears(settings, Known(names=("Kitsu",), vocabulary=vocabulary))
    ears.recogniser.prepare(vocabulary)
    ears.recogniser.wake()
    running = asyncio.create_task(ears.recogniser.run())
    try:
        async with asyncio.timeout(LOAD_S):
            await ears.recogniser.settled.wait()
        if ears.recogniser.state != "ready":
            raise BenchError("no_recogniser", ears.recogniser.trouble)
        yield ears
    finally:
        running.cancel()
        await asyncio.wait({running})


def word_errors(wanted: str, said: str) -> tuple[int, int]:
    """Words wrong, missing or too many; and words wanted."""
    reference, words = wanted.lower().split(), said.lower().split()
    row = np.arange(len(words) + 1)
    for n, word in enumerate(reference, 1):
        before, row = row, np.full(len(words) + 1, n)
        for m, other in enumerate(words, 1):
            row[m] = min(before[m] + 1, row[m - 1] + 1, before[m - 1] + (word != other))
    return int(row[-1]), len(reference)
