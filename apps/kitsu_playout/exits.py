"""Where the clock's doings go. The clock itself knows neither sockets nor files nor time."""

from typing import Protocol

from kitsu.protocol import Message, Panic, PlayoutFinished, PlayoutFrame
from kitsu_playout.mixer import Samples
from kitsu_playout.turn import Turn


class Exits(Protocol):
    """Implemented by the worker; called in order, must return at once."""

    def send(self, message: Message) -> None:
        """To the hub."""

    def frame(self, frame: PlayoutFrame, samples: Samples) -> None:
        """Sound for the elected sink; `frame.sink` is empty when nobody listens."""

    def played(self, turn: Turn, samples: Samples) -> None:
        """Keep this: it was given to the sinks."""

    def ended(self, finished: PlayoutFinished, samples: int) -> None:
        """A turn is over; of what was kept the first `samples` were heard. Sends `finished`, completed, once."""

    def silence(self, conv: str, gen: int) -> float:
        """Drop every sample of `conv` older than `gen` that has not yet left for a sink, and hush the device.

        Returns how long the device still sounds (s).
        """

    def silent(self, panic: Panic, latency_s: float) -> None:
        """A panic was acted on: the last sample leaves `latency_s` after the order came. Confirms it."""

    def refused(self, code: str, message: str) -> None:
        """Something was wrong with a message; it was dropped."""
