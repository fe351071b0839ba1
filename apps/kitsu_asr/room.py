"""All sources and the recogniser that they share."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack

from kitsu.errors import EngineError, KitsuError, ProtocolError
from kitsu.protocol import (
    EARS_RATE_HZ,
    AsrCommand,
    AsrFinal,
    AsrPrepare,
    DropReason,
    EarsState,
    Message,
    MicAudio,
    MicClosed,
    MicOpened,
    PlayoutReference,
)
from kitsu.telemetry import Latency
from kitsu_asr import choosing
from kitsu_asr.browser import BrowserStream
from kitsu_asr.config import AsrSettings
from kitsu_asr.grammar import Vocabulary
from kitsu_asr.listener import Listener
from kitsu_asr.machine import Machine
from kitsu_asr.messages import News
from kitsu_asr.pcm import Samples
from kitsu_asr.recogniser import Recogniser
from kitsu_asr.references import References
from kitsu_asr.source import Known, Source
from kitsu_asr.vad import make_vad

MAX_SOURCES = 8
TICK_S = 0.5
QUIET_S = 1.0  # a source that gives no sound for so long has stopped, in the middle of an utterance perhaps


class Room:
    """Args:
    send: takes messages for the hub.
    on_error: told of what went wrong.
    on_change: called when state or trouble has changed.
    """

    def __init__(
        self,
        settings: AsrSettings,
        send: Callable[[Message], None],
        on_error: Callable[[KitsuError], None],
        on_change: Callable[[], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.endpoint = Latency()
        self.recognition = Latency()
        self.muted = False
        self.listeners: dict[str, Listener] = {}
        self._settings = settings
        self._send_on = send
        self._on_error = on_error
        self._on_change = on_change
        self._clock = clock
        self._known = Known(names=settings.wake_words or ("Kitsu",), vocabulary=Vocabulary(panic=settings.panic_phrase))
        self._references = References()
        self._browsers: dict[str, BrowserStream] = {}
        self._heard_at: dict[str, float] = {}
        self.told = asyncio.Event()
        self.recogniser = Recogniser(
            choosing.order(settings),
            lambda name: choosing.choice(settings, name),
            commands=settings.commands,
            on_news=self._news,
            on_change=on_change,
        )
        self._machine = Machine(settings, self, on_error, on_change)
        self.microphone = self._machine.microphone

    async def run(self, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Start everything; it ends with `stack`.

        Raises:
            EngineError: `vad_missing`.
        """
        await asyncio.to_thread(make_vad, self._settings.vad, self._settings.vad_level)  # its first import is slow
        stack.push_async_callback(self.microphone.close)
        running = [
            tasks.create_task(self.recogniser.run(), name="recogniser"),
            tasks.create_task(self._machine.listen(), name="microphone"),
            tasks.create_task(self._machine.play(), name="file"),
            tasks.create_task(self._watch(), name="ears"),
        ]
        for task in running:
            stack.callback(task.cancel)

    # orders

    def prepare(self, order: AsrPrepare) -> None:
        """Her name, scenes, words."""
        names = (order.name, *self._settings.wake_words) if order.name else self._settings.wake_words
        self._known.names = names
        self._known.hints = (*((order.name,) if order.name else ()), *order.phrases)[:32]
        self._known.vocabulary = Vocabulary(order.scenes[:64], self._settings.panic_phrase)
        self.recogniser.prepare(self._known.vocabulary)

    def mute(self, muted: bool) -> None:
        """All ears."""
        self.muted = muted
        for listener in self.listeners.values():
            listener.mute(muted)
        self._on_change()

    @property
    def hints(self) -> tuple[str, ...]:
        """Words to spell rightly."""
        return self._known.hints

    def hub_lost(self) -> None:
        """The hub is gone: browsers open their microphones again when it is back."""
        for source_id in tuple(self._browsers):
            self.remove(source_id)
        self.drop("source_lost")

    def of(self, conv: str) -> Iterable[Listener]:
        """The sources of a conversation."""
        return [listener for listener in self.listeners.values() if listener.source.conv == conv]

    def drop(self, reason: DropReason, conv: str = "") -> None:
        """Forget what is being said."""
        for listener in self.of(conv) if conv else self.listeners.values():
            listener.drop(reason)

    # sound

    def mic_opened(self, opened: MicOpened) -> None:
        """A browser. Told again when it is known: nothing changes."""
        if opened.mic in self.listeners:
            return
        source = Source(opened.mic, "browser", opened.conv, opened.label[:80], opened.speaker)
        if self.add(source):
            self.listeners[opened.mic].listen(opened.mode)
            self._browsers[opened.mic] = BrowserStream()

    def mic_closed(self, closed: MicClosed) -> None:
        """It left."""
        self.remove(closed.mic)

    def mic_audio(self, audio: MicAudio, payload: memoryview) -> None:
        """Its sound. Of one that is not known it is let go.

        Raises:
            ProtocolError: `bad_rate`; then the microphone is not listened to any more.
        """
        stream = self._browsers.get(audio.mic)
        if stream is None:
            return
        try:
            samples = stream.feed(audio, payload)
        except ProtocolError:
            self.remove(audio.mic)
            raise
        self.feed(audio.mic, samples, self._clock())

    def reference(self, message: PlayoutReference, payload: memoryview) -> None:
        """What a conversation is given to hear."""
        if self._settings.echo_guard:
            self._references.add(message, payload, self._clock(), self._convs())

    def state(self) -> EarsState:
        mic = self.microphone.state
        sources = [listener.state() for listener in self.listeners.values()]
        lost = self._machine.lost()
        if lost is not None:
            sources.append(lost)
        return EarsState(
            configured=True,
            muted=self.muted,
            engine=self.recogniser.engine,
            sources=tuple(sources),
            chosen=mic.chosen,
            there=mic.there,
            default=mic.default,
            trouble=self.trouble,
        )

    @property
    def trouble(self) -> str:
        """What is wrong; empty when all is well."""
        return self.recogniser.trouble or self._machine.trouble

    def add(self, source: Source) -> bool:
        """One more. The first one has the recogniser's model read. False: there are too many."""
        if len(self.listeners) >= MAX_SOURCES:
            text = f"{MAX_SOURCES} microphones are open already; {source.label or source.source_id} is not heard."
            self._on_error(EngineError("too_many_microphones", text))
            return False
        settings = self._settings
        listener = Listener(
            source,
            settings,
            self.recogniser,
            make_vad(settings.vad, settings.vad_level),
            self._known,
            self._send,
            self._references.of(source.conv, self._convs()) if settings.echo_guard else None,
        )
        listener.muted = self.muted
        self.listeners[source.source_id] = listener
        self.recogniser.wake()
        self._on_change()
        return True

    def remove(self, source_id: str) -> None:
        """It is gone."""
        listener = self.listeners.pop(source_id, None)
        self._browsers.pop(source_id, None)
        if listener is not None:
            listener.drop("source_lost")
            self._on_change()

    def feed(self, source_id: str, samples: Samples, now_s: float) -> None:
        """Sound of a source, the last of which was heard at `now_s`; of one that is not known it is let go."""
        if source_id in self.listeners:
            self._heard_at[source_id] = now_s
            self.listeners[source_id].feed(samples, now_s)

    async def ready(self) -> None:
        """Until the recogniser listens, or will not."""
        self.recogniser.wake()
        await self.recogniser.settled.wait()

    # how

    def _convs(self) -> set[str]:
        return {listener.source.conv for listener in self.listeners.values()}

    async def _watch(self) -> None:
        """A source that stopped sending has ended its utterance: silence for it, in pieces."""
        while True:
            await asyncio.sleep(TICK_S)
            now = self._clock()
            for source_id, listener in tuple(self.listeners.items()):
                if listener.busy and now - self._heard_at.get(source_id, now) > QUIET_S:
                    listener.silence(TICK_S * EARS_RATE_HZ, now)

    def _news(self, news: News) -> None:
        now = self._clock()
        if news.kind == "error":
            self._on_error(EngineError(news.code, news.message, retryable=news.retryable))
        for listener in tuple(self.listeners.values()):
            if listener.news(news, now):
                break
        self.told.set()
        if news.kind == "final":
            self.recognition.add(news.took_ms)

    def _send(self, message: Message) -> None:
        if isinstance(message, AsrFinal | AsrCommand):
            self.endpoint.add(message.endpoint_ms)
        self._send_on(message)
