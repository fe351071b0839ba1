"""The microphone of this machine: opened, watched, and exchanged while the show runs."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from kitsu.errors import EngineError
from kitsu.soundcard import DEFAULT, Device, TroubleError, ask_devices
from kitsu.soundcard.portaudio import pick
from kitsu_asr.capture import Capture, in_words, open_capture

WATCH_S = 0.25
RETRY_S = 5.0  # before the next try to open a microphone that is not there
OPEN_S = 5.0
MAX_LISTED = 64
MAX_NAME = 160
WAITING = 100  # blocks of 20 ms that may wait for the loop; then the newest are let go

OnSound = Callable[[bytes, int, float], None]
"""s16le mono, its rate, when its last sample was heard (perf_counter)."""


@dataclass(frozen=True)
class MicrophoneState:
    """As `asr.state` tells it."""

    chosen: str = ""
    open: str = ""
    trouble: str = ""
    there: tuple[str, ...] = ()
    default: str = ""


class Microphone:
    """At most one at a time. All that PortAudio does is done in one thread: a driver may hang, and the show goes on.

    Args:
        on_sound: called on the loop.
        on_change: called when `state` has changed.
        on_lost: told when it went by itself.
        open_mic: blocks until the microphone of that name hears.
    """

    def __init__(
        self,
        on_sound: OnSound,
        on_change: Callable[[], None],
        on_lost: Callable[[EngineError], None],
        open_mic: Callable[..., Capture] = open_capture,
    ) -> None:
        self.state = MicrophoneState()
        self.dropped = 0  # blocks
        self._on_sound = on_sound
        self._on_change = on_change
        self._on_lost = on_lost
        self._open_mic = open_mic
        self._capture: Capture | None = None
        self._rate_hz = 0
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "microphone")
        self._turnstile = asyncio.Lock()
        self._exchanged = asyncio.Event()

    async def run(self, chosen: str) -> None:
        """Keep one open until cancelled. One that is not there, or goes, is tried again."""
        self._change(chosen=chosen)
        while True:
            async with self._turnstile:
                await self._keep()
            self._exchanged.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(WATCH_S if self._capture else RETRY_S if self.state.chosen else None):
                    await self._exchanged.wait()

    async def use(self, name: str, *, again: bool = False) -> None:
        """Another one from now on; empty: none. `again`: wait for it when it is not there.

        Raises:
            EngineError: `device_missing`, `device_failed`, `sound_…`; then what was open is opened again.
        """
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
        """Which microphones there are now.

        Raises:
            EngineError: `sound_missing`, `sound_failed`, `sound_hangs`, `sound_crashed`.
        """
        try:
            there = await asyncio.to_thread(ask_devices, "in")
        except TroubleError as trouble:
            error = in_words(trouble)
            self._change(there=(), default="", trouble=error.message)
            raise error from None
        names = tuple(device.label[:MAX_NAME] for device in there[:MAX_LISTED])
        self._change(there=names, default=next((device.label for device in there if device.default), ""))
        return there

    async def close(self) -> None:
        """The process ends."""
        await self._close()
        self._thread.shutdown(wait=False)

    async def _keep(self) -> None:
        if self._capture is not None and not self._capture.active:
            label = self._capture.label
            await self._close()
            text = f"The microphone {label} is gone; Kitsu hears nobody there until it is back."
            self._change(trouble=text)
            self._on_lost(EngineError("microphone_lost", text, retryable=True))
        if self._capture is None and self.state.chosen:
            try:
                await self._open(self.state.chosen)
            except EngineError as error:
                text = f"The microphone {self.state.chosen} is not there; it is waited for."
                self._change(trouble=text if error.code == "device_missing" else error.message)

    async def _open(self, name: str) -> None:
        loop = asyncio.get_running_loop()

        def hear(pcm: bytes, heard_at: float) -> None:
            if self._waiting < WAITING and not loop.is_closed():
                self._waiting += 1
                loop.call_soon_threadsafe(self._deliver, pcm, heard_at)
            else:
                self.dropped += 1

        opening = self._thread.submit(self._open_mic, name, hear)
        try:
            async with asyncio.timeout(OPEN_S):
                self._capture = capture = await asyncio.wrap_future(opening)
        except TimeoutError:
            opening.add_done_callback(_close_late)
            text = f"The sound system did not open {name} within {OPEN_S:g} s. What helps: restart it."
            raise EngineError("sound_hangs", text, retryable=True) from None
        self._rate_hz = capture.rate_hz
        self._change(chosen=name if name == DEFAULT else capture.label, open=capture.label, trouble="")

    def _deliver(self, pcm: bytes, heard_at: float) -> None:
        self._waiting -= 1
        if self._rate_hz:
            self._on_sound(pcm, self._rate_hz, heard_at)

    async def _close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is None:
            return
        self._change(open="")
        with suppress(TimeoutError):
            async with asyncio.timeout(OPEN_S):
                await asyncio.wrap_future(self._thread.submit(capture.close))

    def _change(self, **fields: Any) -> None:
        changed = replace(self.state, **fields)
        if changed != self.state:
            self.state = changed
            self._on_change()


def pick_label(there: list[Device], name: str) -> str:
    """The label of the microphone that `name` means.

    Raises:
        EngineError: `device_missing`.
    """
    try:
        return pick(there, name, "in").label
    except TroubleError as trouble:
        names = ", ".join(device.label for device in there) or "none"
        raise EngineError(trouble.code, f"{in_words(trouble).message} There are: {names}", retryable=True) from None


def _close_late(opening: "Future[Capture]") -> None:
    """One that opened when nobody waited for it any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
