"""All sources and the recogniser that they share."""

import asyncio
import time
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

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
    SourceState,
    Speaker,
)
from kitsu.telemetry import Latency
from kitsu_asr import choosing, file_source
from kitsu_asr.browser import BrowserStream
from kitsu_asr.config import AsrSettings
from kitsu_asr.echo import Reference
from kitsu_asr.grammar import Vocabulary
from kitsu_asr.listener import Listener
from kitsu_asr.messages import News
from kitsu_asr.microphone import Microphone
from kitsu_asr.pcm import Resampler, Samples, from_s16
from kitsu_asr.recogniser import Recogniser
from kitsu_asr.source import Known, Source
from kitsu_asr.vad import make_vad

MAX_SOURCES = 8
MAX_REFERENCES = 16
TICK_S = 0.5
QUIET_S = 1.0  # a source that gives no sound for so long has stopped, in the middle of an utterance perhaps

DEVICE, FILE = "device", "file"


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
        self._references: dict[str, Reference] = {}
        self._browsers: dict[str, BrowserStream] = {}
        self._heard_at: dict[str, float] = {}
        self._resampler: Resampler | None = None
        self._file_trouble = ""
        self._told = asyncio.Event()  # the recogniser said something
        self.recogniser = Recogniser(
            choosing.order(settings),
            lambda name: choosing.choice(settings, name),
            commands=settings.commands,
            on_news=self._news,
            on_change=on_change,
        )
        self.microphone = Microphone(self._from_device, self._device_changed, on_error)

    async def run(self, stack: AsyncExitStack, tasks: asyncio.TaskGroup) -> None:
        """Start everything; it ends with `stack`.

        Raises:
            EngineError: `vad_missing`.
        """
        await asyncio.to_thread(make_vad, self._settings.vad, self._settings.vad_level)  # its first import is slow
        stack.push_async_callback(self.microphone.close)
        running = [
            tasks.create_task(self.recogniser.run(), name="recogniser"),
            tasks.create_task(self._run_microphone(), name="microphone"),
            tasks.create_task(self._watch(), name="ears"),
        ]
        if self._settings.file:
            running.append(tasks.create_task(self._play(Path(self._settings.file)), name="file"))
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
            self._remove(source_id)
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
        if self._add(source):
            self.listeners[opened.mic].listen(opened.mode)
            self._browsers[opened.mic] = BrowserStream()

    def mic_closed(self, closed: MicClosed) -> None:
        """It left."""
        self._remove(closed.mic)

    def mic_audio(self, audio: MicAudio, payload: memoryview) -> None:
        """Its sound. Of one that is not known it is let go.

        Raises:
            ProtocolError: `bad_rate`; then the microphone is not listened to any more.
        """
        stream, listener = self._browsers.get(audio.mic), self.listeners.get(audio.mic)
        if stream is None or listener is None:
            return
        try:
            samples = stream.feed(audio, payload)
        except ProtocolError:
            self._remove(audio.mic)
            raise
        self._feed(listener, samples, self._clock())

    def reference(self, message: PlayoutReference, payload: memoryview) -> None:
        """What a conversation is given to hear."""
        if not self._settings.echo_guard:
            return
        sounds_at = self._clock() + max(0.0, min(2000.0, message.ahead_ms)) / 1000
        self._reference(message.conv).add(message.position, from_s16(payload), sounds_at)

    def state(self) -> EarsState:
        mic = self.microphone.state
        sources = [listener.state() for listener in self.listeners.values()]
        if mic.chosen and not mic.open:
            sources.append(self._lost(mic.trouble))
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
        mic = self.microphone.state
        return self.recogniser.trouble or (mic.trouble if mic.chosen else "") or self._file_trouble

    # how

    def _lost(self, trouble: str) -> SourceState:
        settings = self._settings
        return SourceState(
            source_id=DEVICE,
            kind="device",
            conv=settings.conv,
            label=self.microphone.state.chosen,
            state="lost",
            speaker=Speaker(name=settings.name, role=settings.role),
            trouble=trouble,
        )

    def _own(self, source_id: str, label: str) -> Source:
        """A source of this machine."""
        settings = self._settings
        kind = "device" if source_id == DEVICE else "file"
        return Source(source_id, kind, settings.conv, label, Speaker(name=settings.name, role=settings.role))  # type: ignore[arg-type]

    def _add(self, source: Source) -> bool:
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
            self._reference(source.conv) if settings.echo_guard else None,
        )
        listener.muted = self.muted
        self.listeners[source.source_id] = listener
        self._on_change()
        return True

    def _remove(self, source_id: str) -> None:
        listener = self.listeners.pop(source_id, None)
        self._browsers.pop(source_id, None)
        if listener is not None:
            listener.drop("source_lost")
            self._on_change()

    def _reference(self, conv: str) -> Reference:
        if conv not in self._references and len(self._references) >= MAX_REFERENCES:
            used = {listener.source.conv for listener in self.listeners.values()}
            self._references = {name: kept for name, kept in self._references.items() if name in used}
        return self._references.setdefault(conv, Reference())

    async def _run_microphone(self) -> None:
        """Not before there is somebody to listen: what is said while a model is read would be lost."""
        await self.recogniser.settled.wait()
        await self.microphone.run(self._settings.device)

    def _from_device(self, pcm: bytes, rate_hz: int, heard_at: float) -> None:
        if self._resampler is None or self._resampler.rate_hz != rate_hz:
            self._resampler = Resampler(rate_hz)
        if DEVICE in self.listeners:
            self._feed(self.listeners[DEVICE], self._resampler.feed(from_s16(pcm)), heard_at)

    def _device_changed(self) -> None:
        label = self.microphone.state.open
        known = self.listeners.get(DEVICE)
        if known is not None and known.source.label != label:
            self._remove(DEVICE)
        if label and DEVICE not in self.listeners:
            self._resampler = None
            self._add(self._own(DEVICE, label))
        self._on_change()

    async def _play(self, path: Path) -> None:
        await self.recogniser.settled.wait()
        if not self._add(self._own(FILE, path.name)):
            return
        try:
            await file_source.play(path, lambda samples, now: self._feed(self.listeners[FILE], samples, now))
        except EngineError as error:
            self._file_trouble = error.message
            self._on_error(error)
        while self.listeners[FILE].busy:
            self._told.clear()
            await self._told.wait()
        self._remove(FILE)

    def _feed(self, listener: Listener, samples: Samples, now_s: float) -> None:
        self._heard_at[listener.source.source_id] = now_s
        listener.feed(samples, now_s)

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
        self._told.set()
        if news.kind == "final":
            self.recognition.add(news.took_ms)

    def _send(self, message: Message) -> None:
        if isinstance(message, AsrFinal | AsrCommand):
            self.endpoint.add(message.endpoint_ms)
        self._send_on(message)
