"""The clock's process: hub, files and device around a `Player`."""

import asyncio
import time
from contextlib import AsyncExitStack, suppress
from typing import Any, ClassVar

import msgspec

from kitsu.config import home, load
from kitsu.errors import EngineError, ProtocolError
from kitsu.protocol import (
    STAGE,
    Capabilities,
    HelloAccepted,
    Message,
    Panic,
    PanicConfirmed,
    PlayoutDevices,
    PlayoutFinished,
    PlayoutFrame,
    PlayoutLook,
    PlayoutMirror,
    PlayoutStarted,
    PlayoutUse,
    PlayoutUsing,
    Role,
    encode,
)
from kitsu.telemetry import Latency, log
from kitsu.worker import Process, Worker
from kitsu_playout.config import PlayoutSettings
from kitsu_playout.mirror import Mirror
from kitsu_playout.mixer import Mixer, Samples
from kitsu_playout.player import Player
from kitsu_playout.speaker import SINK, Speaker
from kitsu_playout.turn import Turn
from kitsu_playout.wavs import TurnWavs

WAV_TIMEOUT_S = 2.0
MAX_MIRRORS = 64


class PlayoutWorker(Worker):
    """Gives the player messages and time, and takes its doings to where they belong."""

    role: ClassVar[Role] = "playout"

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        process.on_order = self._order
        self._player: Player | None = None
        self._wake = asyncio.Event()
        self._first_frame = Latency()
        self._pressed_early: Panic | None = None
        self._mirrors: dict[str, Mirror] | None = None  # by conversation; None: nobody wants the reference

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        settings = load("playout", PlayoutSettings)
        home().make()
        self._wavs = TurnWavs(home().turns, settings.keep_turns, settings.keep_mb)
        stack.callback(self._wavs.close)
        Mixer(22_050, 0.0, settings.ceiling_db).feed(bytes(2_000))  # the first use of the resampler costs some ms
        self._player = Player(settings, self, time.perf_counter)
        self._speaker = Speaker(self._player.sink, self._tell_device, self.error)
        stack.push_async_callback(self._speaker.close)
        if self._pressed_early:
            self._player.press(self._pressed_early)
        clock = self.tasks.create_task(self._run_clock(self._player), name="clock")
        stack.callback(clock.cancel)
        device = self.tasks.create_task(self._speaker.run(settings.device), name="device")
        stack.callback(device.cancel)
        return Capabilities(engine="clock", max_parallel=64)

    async def joined(self, accepted: HelloAccepted) -> None:
        self._playing.join(accepted)
        self.send(PlayoutDevices(device=self._speaker.state))
        self._wake.set()

    async def lost(self) -> None:
        self._mirrors = None
        self._playing.lose()

    def handle(self, message: Message, payload: memoryview | None) -> None:
        match message:
            case PlayoutUse():
                self.tasks.create_task(self._use(message), name="use device")
            case PlayoutMirror(on=on):
                self._mirrors = {} if on else None
            case PlayoutLook():
                self.tasks.create_task(self._look(message), name="look for devices")
            case _:
                self._playing.handle(message, payload)
                self._wake.set()

    def latency_ms(self) -> dict[str, float]:
        return self._first_frame.summary("first_frame")

    # Exits

    def send(self, message: Message) -> None:
        if isinstance(message, PlayoutStarted):
            self._first_frame.add(message.latency_ms)
        super().send(message)

    def frame(self, frame: PlayoutFrame, samples: Samples) -> None:
        """To the device, or through the hub; sinks that were not elected get the header."""
        if self._mirrors is not None:
            self._reflect(self._mirrors, frame, samples)
        payload = b""
        if frame.sink == SINK:
            self._speaker.play(frame.position, samples)
        elif frame.sink:
            payload = samples.astype("<i2").tobytes()
        self.outbox.put_media(frame.conv, frame.gen, encode(frame, payload))

    def played(self, turn: Turn, samples: Samples) -> None:
        self._wavs.write(turn.turn_id, samples)

    def ended(self, finished: PlayoutFinished, samples: int) -> None:
        self.tasks.create_task(self._finish(finished, samples), name=f"finish {finished.turn_id}")

    def silence(self, conv: str, gen: int) -> float:
        self.outbox.flush(conv, gen)
        return self._speaker.flush() if conv == STAGE else 0.0

    def silent(self, panic: Panic, latency_s: float) -> None:
        ms = round(latency_s * 1000, 2)
        detail = f"last sample {ms} ms after the order"
        self.send(PanicConfirmed(panic_id=panic.panic_id, exit="playout", latency_ms=ms, detail=detail))

    def refused(self, code: str, message: str) -> None:
        self.error(ProtocolError(code, message))

    # how

    @property
    def _playing(self) -> Player:
        assert self._player is not None, "start() comes first"
        return self._player

    def _reflect(self, mirrors: dict[str, Mirror], frame: PlayoutFrame, samples: Samples) -> None:
        if len(mirrors) >= MAX_MIRRORS:
            mirrors.clear()
        if frame.conv not in mirrors:
            mirrors[frame.conv] = Mirror()
        reference, pcm = mirrors[frame.conv].take(frame, samples, time.perf_counter())
        self.outbox.put_media(reference.conv, reference.gen, encode(reference, pcm))

    def _order(self, order: dict[str, Any]) -> None:
        """The launcher's second path: it must work while the hub is frozen."""
        if order.get("verb") != "panic":
            return
        try:
            panic = msgspec.convert(order.get("panic"), Panic)
        except msgspec.ValidationError as error:
            log.error("playout.bad_order", reason=str(error))
            return
        if self._player is None:
            self._pressed_early = panic
        else:
            self._player.press(panic)

    async def _finish(self, finished: PlayoutFinished, samples: int) -> None:
        try:
            async with asyncio.timeout(WAV_TIMEOUT_S):
                wav, error = await self._wavs.finish(finished.turn_id, samples)
        except TimeoutError:
            wav, error = "", "the turn's sound could not be kept: the disk is too slow"
        if error:
            log.warning("playout.wav_lost", turn_id=finished.turn_id, reason=error)
        self.send(msgspec.structs.replace(finished, wav=wav, wav_error=error))

    async def _run_clock(self, player: Player) -> None:
        while True:
            delay_s = player.tick()
            self._wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await self._wake.wait()

    async def _use(self, order: PlayoutUse) -> None:
        try:
            await self._speaker.use(order.device, again=order.again)
        except EngineError as error:
            log.warning("playout.device_refused", code=error.code)
            chosen = self._speaker.state.chosen
            self.send(PlayoutUsing(parent_id=order.id, device=chosen, code=error.code, message=error.message))
        else:
            self.send(PlayoutUsing(parent_id=order.id, device=self._speaker.state.chosen))

    async def _look(self, order: PlayoutLook) -> None:
        with suppress(EngineError):  # it stands in the answer
            await self._speaker.look()
        self.send(PlayoutDevices(parent_id=order.id, device=self._speaker.state))

    def _tell_device(self) -> None:
        trouble = self._speaker.trouble
        self.feel("degraded" if trouble else "ok", trouble)
        self.send(PlayoutDevices(device=self._speaker.state))
