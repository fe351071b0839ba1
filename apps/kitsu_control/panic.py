"""One press of the panic button, as the browsers here live it."""

import asyncio
import time
from collections.abc import Callable, Iterable

from kitsu.protocol import Message, Panic, PanicConfirmed, PanicExit, SinkFlushed


class PanicRound:
    """Which browsers are silent already, measured from the order's arrival here.

    A round may begin before the hub knows of the panic (the button is here): confirmations are told to the hub as
    soon as it does.
    """

    def __init__(self, panic: Panic, sinks: Iterable[str], tell_hub: Callable[[Message], None]) -> None:
        self.panic = panic
        self.hub_knows = False
        self.settled = asyncio.Event()  # every browser has answered
        self._ordered_at = time.perf_counter()
        self._tell_hub = tell_hub
        self._waiting = set(sinks)
        self._confirmed: dict[str, PanicConfirmed] = {}
        self._settle("no page was open")

    def known_to_hub(self) -> None:
        """The hub has ordered this panic too."""
        if not self.hub_knows:
            self.hub_knows = True
            for confirmed in self._confirmed.values():
                self._tell_hub(confirmed)

    def flushed(self, sink: str, report: SinkFlushed) -> None:
        """A browser says that it is silent and shows nothing any more."""
        if sink in self._waiting:
            self._waiting.discard(sink)
            self._confirm(f"overlay:{sink}", f"last sample {report.latency_ms:.1f} ms after the order reached the page")
            self._settle(f"cleared on {len(self._confirmed)} pages" if len(self._confirmed) > 1 else "cleared")

    def gone(self, sink: str) -> None:
        """A browser left without an answer: its exit stays unconfirmed, but nobody waits for it."""
        if sink in self._waiting:
            self._waiting.discard(sink)
            self._settle("cleared on the pages that are left")

    def exits(self) -> list[PanicExit]:
        """Where we stand."""
        done = [
            PanicExit(exit=name, state="confirmed", latency_ms=one.latency_ms, detail=one.detail)
            for name, one in self._confirmed.items()
        ]
        return done + [PanicExit(exit=f"overlay:{sink}", state="pending") for sink in sorted(self._waiting)]

    def _settle(self, detail: str) -> None:
        if not self._waiting and not self.settled.is_set():
            self._confirm("captions", detail)
            self.settled.set()

    def _confirm(self, name: str, detail: str) -> None:
        latency_ms = round((time.perf_counter() - self._ordered_at) * 1000, 2)
        confirmed = PanicConfirmed(panic_id=self.panic.panic_id, exit=name, latency_ms=latency_ms, detail=detail)
        self._confirmed[name] = confirmed
        if self.hub_knows:
            self._tell_hub(confirmed)
