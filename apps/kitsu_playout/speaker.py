"""The sound device that plays beside the browsers: opened, watched, and exchanged while the show runs."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import msgspec

from kitsu.errors import EngineError
from kitsu.protocol import STAGE, DeviceState, SinkClosed, SinkOpened, SinkPosition
from kitsu.soundcard import DEFAULT, Device, TroubleError, ask_devices
from kitsu.soundcard.portaudio import pick
from kitsu_playout.device import DeviceSink, in_words, open_device
from kitsu_playout.mixer import Samples

SINK = "device"
REPORT_S = 0.1
RETRY_S = 5.0  # before the next try to open a device that is not there
OPEN_S = 5.0
MAX_LISTED = 64
MAX_NAME = 160

SinkNews = SinkOpened | SinkPosition | SinkClosed


class Speaker:
    """At most one device at a time.

    All that PortAudio does is done in one thread: opening takes tenths of a second, a driver may hang, and the show
    must go on meanwhile. The list comes from a process of its own: PortAudio can look again only while it is silent.

    Args:
        on_sink: told of the device as of any sink.
        on_change: called when `state` has changed.
        on_lost: told when the device went by itself.
        open_sink: blocks until the device of that name plays.
    """

    def __init__(
        self,
        on_sink: Callable[[SinkNews], None],
        on_change: Callable[[], None],
        on_lost: Callable[[EngineError], None],
        open_sink: Callable[[str], DeviceSink] = open_device,
    ) -> None:
        self.state = DeviceState()
        self._on_sink = on_sink
        self._on_change = on_change
        self._on_lost = on_lost
        self._open_sink = open_sink
        self._sink: DeviceSink | None = None
        self._thread = ThreadPoolExecutor(1, "sound device")
        self._turnstile = asyncio.Lock()  # the device is opened or closed by one at a time
        self._exchanged = asyncio.Event()
        self._looking: asyncio.Future[list[Device]] | None = None

    @property
    def trouble(self) -> str:
        """Why the chosen device does not play; empty when it does, or none is chosen."""
        return self.state.trouble if self.state.chosen else ""

    async def run(self, chosen: str) -> None:
        """Keep a device open until cancelled. One that is not there, or goes, is tried again."""
        self._change(chosen=chosen)
        while True:
            async with self._turnstile:
                await self._keep()
            self._exchanged.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(REPORT_S if self._sink else RETRY_S if self.state.chosen else None):
                    await self._exchanged.wait()

    async def use(self, name: str, *, again: bool = False) -> None:
        """Play on another device from now on; empty: on none. `again`: wait for it when it is not there.

        Raises:
            EngineError: `device_missing`, `device_failed`, `sound_…`; then what played plays on.
        """
        if name == self.state.chosen and (not name or self._sink is not None):
            return
        chosen = name if again or name in ("", DEFAULT) else pick_label(await self.look(), name)
        async with self._turnstile:
            before = self.state.chosen
            await self._close()
            self._change(chosen=chosen, trouble="")
            try:
                if chosen:
                    await self._open(chosen)
            except EngineError as error:
                self._change(chosen=chosen if again else before, trouble=error.message if again else "")
                if not again:
                    raise
            finally:
                self._exchanged.set()

    async def look(self) -> list[Device]:
        """Which devices there are now.

        Raises:
            EngineError: `sound_missing`, `sound_failed`, `sound_hangs`, `sound_crashed`.
        """
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(asyncio.to_thread(ask_devices))
        try:
            there = await asyncio.shield(self._looking)
        except TroubleError as trouble:
            error = in_words(trouble)
            self._change(there=(), default="", trouble=self.trouble or error.message)
            raise error from None
        names = tuple(device.label[:MAX_NAME] for device in there[:MAX_LISTED])
        default = next((device.label for device in there if device.default), "")
        self._change(there=names, default=default, trouble=self.trouble)
        return there

    def play(self, position: int, samples: Samples) -> None:
        """To the device, if there is one."""
        if self._sink is not None:
            self._sink.play(position, samples)

    def flush(self) -> float:
        """Silence. Returns how long it still sounds (s)."""
        return self._sink.flush() if self._sink is not None else 0.0

    async def close(self) -> None:
        """The process ends."""
        await self._close()
        self._thread.shutdown(wait=False)

    async def _keep(self) -> None:
        if self._sink is not None and not self._sink.active:
            label = self._sink.label
            await self._close()
            text = f"The sound device {label} is gone. Overlay and pages play, where they are open, until it is back."
            self._on_lost(EngineError("device_lost", text, retryable=True))
        if self._sink is None and self.state.chosen:
            try:
                await self._open(self.state.chosen)
            except EngineError as error:
                text = f"The sound device {self.state.chosen} is not there. Overlay and pages play until it is."
                self._change(trouble=text if error.code == "device_missing" else error.message)
        if sink := self._sink:
            report = SinkPosition(conv=STAGE, sink=SINK, position=sink.position(), state=sink.state)
            self._on_sink(msgspec.structs.replace(report, underruns=sink.underruns))

    async def _open(self, name: str) -> None:
        opening = self._thread.submit(self._open_sink, name)
        try:
            async with asyncio.timeout(OPEN_S):
                self._sink = sink = await asyncio.wrap_future(opening)
        except TimeoutError:
            opening.add_done_callback(_close_late)
            text = f"The sound system did not open {name} within {OPEN_S:g} s. What helps: restart it."
            raise EngineError("sound_hangs", text, retryable=True) from None
        self._change(chosen=name if name == DEFAULT else sink.label, playing=sink.label, trouble="")
        self._on_sink(SinkOpened(conv=STAGE, sink=SINK, kind="device", label=sink.label))

    async def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        self._on_sink(SinkClosed(conv=STAGE, sink=SINK))
        self._change(playing="")
        with suppress(TimeoutError):
            async with asyncio.timeout(OPEN_S):
                await asyncio.wrap_future(self._thread.submit(sink.close))

    def _change(self, **fields: Any) -> None:
        changed = msgspec.structs.replace(self.state, **fields)
        if changed != self.state:
            self.state = changed
            self._on_change()


def pick_label(there: list[Device], name: str) -> str:
    """The label of the device that `name` means.

    Raises:
        EngineError: `device_missing`.
    """
    try:
        return pick(there, name).label
    except TroubleError as trouble:
        names = ", ".join(device.label for device in there) or "none"
        raise EngineError(trouble.code, f"{in_words(trouble).message} There are: {names}", retryable=True) from None


def _close_late(opening: "Future[DeviceSink]") -> None:
    """A device that opened when nobody waited for it any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
