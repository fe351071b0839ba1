"""The sound device that plays beside the browsers."""

from collections.abc import Callable

import msgspec

from kitsu.errors import EngineError
from kitsu.protocol import STAGE, DeviceState, SinkClosed, SinkOpened, SinkPosition
from kitsu.soundcard.kept import KeptDevice
from kitsu_playout.device import DeviceSink, open_device
from kitsu_playout.mixer import Samples

SINK = "device"
REPORT_S = 0.1

SinkNews = SinkOpened | SinkPosition | SinkClosed


class Speaker(KeptDevice[DeviceSink]):
    """A kept device that is one of the sinks.

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
        super().__init__("out", open_sink, on_change, REPORT_S)
        self._on_sink = on_sink
        self._on_lost = on_lost

    @property
    def state(self) -> DeviceState:
        """As `playout.devices` tells it."""
        now = self.now
        return DeviceState(
            chosen=now.chosen, playing=now.open, trouble=now.trouble, there=now.there, default=now.default
        )

    async def use(self, name: str, *, again: bool = False) -> None:
        """See `KeptDevice`. What plays already is not interrupted."""
        if name != self.now.chosen or (name and self._device is None):
            await super().use(name, again=again)

    def play(self, position: int, samples: Samples) -> None:
        """To the device, if there is one."""
        if self._device is not None:
            self._device.play(position, samples)

    def flush(self) -> float:
        """Silence. Returns how long it still sounds (s)."""
        return self._device.flush() if self._device is not None else 0.0

    def _opened(self, device: DeviceSink) -> None:
        self._on_sink(SinkOpened(conv=STAGE, sink=SINK, kind="device", label=device.label))

    def _closed(self) -> None:
        self._on_sink(SinkClosed(conv=STAGE, sink=SINK))

    def _lost(self, label: str) -> None:
        text = f"The sound device {label} is gone. Overlay and pages play, where they are open, until it is back."
        self._on_lost(EngineError("device_lost", text, retryable=True))

    def _missing(self, chosen: str) -> str:
        return f"The sound device {chosen} is not there. Overlay and pages play until it is."

    def _watched(self) -> None:
        if sink := self._device:
            report = SinkPosition(conv=STAGE, sink=SINK, position=sink.position(), state=sink.state)
            self._on_sink(msgspec.structs.replace(report, underruns=sink.underruns))
