"""A sound device that is kept open while the show runs: watched, exchanged, and taken again when it comes back."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from kitsu.errors import EngineError
from kitsu.soundcard import DEFAULT, Device, TroubleError, Way, ask_devices
from kitsu.soundcard.portaudio import pick

RETRY_S = 5.0  # before the next try to open a device that is not there
OPEN_S = 5.0
MAX_LISTED = 64
MAX_NAME = 160


class OpenDevice(Protocol):
    """One that is open."""

    label: str

    @property
    def active(self) -> bool:
        """False: it stopped by itself."""
        ...

    def close(self) -> None:
        """Free for others."""
        ...


@dataclass(frozen=True)
class DeviceNow:
    """What is chosen, what is open, and what there is; labels."""

    chosen: str = ""
    open: str = ""
    trouble: str = ""
    there: tuple[str, ...] = ()
    default: str = ""


OpenT = TypeVar("OpenT", bound=OpenDevice)


class KeptDevice(ABC, Generic[OpenT]):
    """At most one device at a time.

    All that PortAudio does is done in one thread: opening takes tenths of a second, a driver may hang, and the show
    must go on meanwhile. The list comes from a process of its own: PortAudio can look again only while it is silent.

    Args:
        way: whether it plays or hears.
        open_device: blocks until the device of that name is open.
        on_change: called when `now` has changed.
        watch_s: how often an open one is looked at.
    """

    def __init__(
        self, way: Way, open_device: Callable[[str], OpenT], on_change: Callable[[], None], watch_s: float
    ) -> None:
        self.now = DeviceNow()
        self._way = way
        self._open_device = open_device
        self._on_change = on_change
        self._watch_s = watch_s
        self._device: OpenT | None = None
        self._thread = ThreadPoolExecutor(1, "sound device")
        self._turnstile = asyncio.Lock()  # the device is opened or closed by one at a time
        self._exchanged = asyncio.Event()
        self._looking: asyncio.Future[list[Device]] | None = None

    @property
    def trouble(self) -> str:
        """Why the chosen device is not open; empty when it is, or none is chosen."""
        return self.now.trouble if self.now.chosen else ""

    async def run(self, chosen: str) -> None:
        """Keep a device open until cancelled. One that is not there, or goes, is tried again."""
        self._change(chosen=chosen)
        while True:
            async with self._turnstile:
                await self._keep()
            self._exchanged.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._watch_s if self._device else RETRY_S if self.now.chosen else None):
                    await self._exchanged.wait()

    async def use(self, name: str, *, again: bool = False) -> None:
        """Another device from now on; empty: none. `again`: wait for it when it is not there.

        Raises:
            EngineError: `device_missing`, `device_failed`, `sound_…`; then what was open is opened again.
        """
        chosen = name if again or name in ("", DEFAULT) else self._label(await self.look(), name)
        async with self._turnstile:
            before = self.now.chosen
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
            self._looking = asyncio.ensure_future(asyncio.to_thread(ask_devices, self._way))
        try:
            there = await asyncio.shield(self._looking)
        except TroubleError as trouble:
            error = trouble.in_words()
            self._change(there=(), default="", trouble=self.trouble or error.message)
            raise error from None
        names = tuple(device.label[:MAX_NAME] for device in there[:MAX_LISTED])
        default = next((device.label for device in there if device.default), "")
        self._change(there=names, default=default, trouble=self.trouble)
        return there

    async def close(self) -> None:
        """The process ends."""
        await self._close()
        self._thread.shutdown(wait=False)

    # What playing and hearing have each their own way of

    @abstractmethod
    def _opened(self, device: OpenT) -> None:
        """It is open."""

    @abstractmethod
    def _closed(self) -> None:
        """It is going to be closed, or has gone."""

    @abstractmethod
    def _lost(self, label: str) -> None:
        """It went by itself."""

    @abstractmethod
    def _missing(self, chosen: str) -> str:
        """What the operator is told while it is not there."""

    @abstractmethod
    def _watched(self) -> None:
        """Called every `watch_s` while a device is open, and after each try to open one."""

    # Inside

    async def _keep(self) -> None:
        if self._device is not None and not self._device.active:
            label = self._device.label
            await self._close()
            self._lost(label)
        if self._device is None and self.now.chosen:
            try:
                await self._open(self.now.chosen)
            except EngineError as error:
                missing = error.code == "device_missing"
                self._change(trouble=self._missing(self.now.chosen) if missing else error.message)
        self._watched()

    async def _open(self, name: str) -> None:
        opening = self._thread.submit(self._open_device, name)
        try:
            async with asyncio.timeout(OPEN_S):
                self._device = device = await asyncio.wrap_future(opening)
        except TimeoutError:
            opening.add_done_callback(_close_late)
            text = f"The sound system did not open {name} within {OPEN_S:g} s. What helps: restart it."
            raise EngineError("sound_hangs", text, retryable=True) from None
        self._change(chosen=name if name == DEFAULT else device.label, open=device.label, trouble="")
        self._opened(device)

    async def _close(self) -> None:
        device, self._device = self._device, None
        if device is None:
            return
        self._closed()
        self._change(open="")
        with suppress(TimeoutError):
            async with asyncio.timeout(OPEN_S):
                await asyncio.wrap_future(self._thread.submit(device.close))

    def _label(self, there: list[Device], name: str) -> str:
        """The label of the device that `name` means.

        Raises:
            EngineError: `device_missing`.
        """
        try:
            return pick(there, name, self._way).label
        except TroubleError as trouble:
            names = ", ".join(device.label for device in there) or "none"
            text = f"{trouble.in_words().message} There are: {names}"
            raise EngineError(trouble.code, text, retryable=True) from None

    def _change(self, **fields: Any) -> None:
        changed = replace(self.now, **fields)
        if changed != self.now:
            self.now = changed
            self._on_change()


def _close_late(opening: "Future[OpenT]") -> None:
    """A device that opened when nobody waited for it any more."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
