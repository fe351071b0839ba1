"""The sources of this machine: its microphone, and a file that is heard as if it were one."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from kitsu.errors import EngineError, KitsuError
from kitsu.protocol import SourceState, Speaker
from kitsu_asr import file_source
from kitsu_asr.config import AsrSettings
from kitsu_asr.listener import Listener
from kitsu_asr.microphone import Microphone
from kitsu_asr.pcm import Resampler, Samples, from_s16
from kitsu_asr.source import Source

DEVICE, FILE = "device", "file"


class Listening(Protocol):
    """The room, as far as a machine's sources use it."""

    listeners: dict[str, Listener]
    told: asyncio.Event  # the recogniser said something

    def add(self, source: Source) -> bool: ...
    def remove(self, source_id: str) -> None: ...
    def feed(self, source_id: str, samples: Samples, now_s: float) -> None: ...
    async def ready(self) -> None: ...


class Machine:
    """Args:
    on_error: told of what went wrong.
    on_change: called when something about them has changed.
    """

    def __init__(
        self,
        settings: AsrSettings,
        room: Listening,
        on_error: Callable[[KitsuError], None],
        on_change: Callable[[], None],
    ) -> None:
        self.microphone = Microphone(self._from_device, self._device_changed, on_error)
        self._settings = settings
        self._room = room
        self._on_error = on_error
        self._on_change = on_change
        self._resampler: Resampler | None = None
        self._file_trouble = ""

    @property
    def configured(self) -> bool:
        """Whether there is something to listen to from the start."""
        return bool(self._settings.device or self._settings.file)

    @property
    def trouble(self) -> str:
        """What is wrong; empty when all is well."""
        mic = self.microphone.state
        return (mic.trouble if mic.chosen else "") or self._file_trouble

    def lost(self) -> SourceState | None:
        """The microphone that is wanted and not there."""
        mic = self.microphone.state
        if not mic.chosen or mic.open:
            return None
        source = self._own(DEVICE, mic.chosen)
        return SourceState(
            source_id=DEVICE,
            kind="device",
            conv=source.conv,
            label=source.label,
            state="lost",
            speaker=source.speaker,
            trouble=mic.trouble,
        )

    async def listen(self) -> None:
        """Keep the microphone, until cancelled. What is said while a model is read would be lost: not before."""
        if self._settings.device:
            await self._room.ready()
        await self.microphone.run(self._settings.device)

    async def play(self) -> None:
        """Hear the file to its end."""
        if not self._settings.file:
            return
        await self._room.ready()
        path = Path(self._settings.file)
        if not self._room.add(self._own(FILE, path.name)):
            return
        try:
            await file_source.play(path, lambda samples, now: self._room.feed(FILE, samples, now))
        except EngineError as error:
            self._file_trouble = error.message
            self._on_error(error)
        while self._room.listeners[FILE].busy:
            self._room.told.clear()
            await self._room.told.wait()
        self._room.remove(FILE)

    def _own(self, source_id: str, label: str) -> Source:
        settings = self._settings
        speaker = Speaker(name=settings.name, role=settings.role)
        return Source(source_id, "device" if source_id == DEVICE else "file", settings.conv, label, speaker)

    def _from_device(self, pcm: bytes, rate_hz: int, heard_at: float) -> None:
        if self._resampler is None or self._resampler.rate_hz != rate_hz:
            self._resampler = Resampler(rate_hz)
        self._room.feed(DEVICE, self._resampler.feed(from_s16(pcm)), heard_at)

    def _device_changed(self) -> None:
        label = self.microphone.state.open
        known = self._room.listeners.get(DEVICE)
        if known is not None and known.source.label != label:
            self._room.remove(DEVICE)
        if label and DEVICE not in self._room.listeners:
            self._resampler = None
            self._room.add(self._own(DEVICE, label))
        self._on_change()
