"""The operator's choice of a sound device while the show runs."""

from kitsu.errors import KitsuError
from kitsu.protocol import DeviceState, PlayoutDevices, PlayoutLook, PlayoutUse, PlayoutUsing
from kitsu_orchestrator.asking import Asking
from kitsu_orchestrator.hub import Hub

OPENING_S = 13.0  # looking, closing and opening, each with a driver that takes its time


class DeviceChoice:
    """Passes the choice on, waits for the answer, and says it again to a playout that was restarted."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._chosen: str | None = None
        self.now = DeviceState()  # as playout last said
        missing = KitsuError("playout_missing", "Playout is not there; kitsu logs playout says why.", retryable=True)
        late = KitsuError("sound_hangs", "The sound system does not answer. What helps: restart it.", retryable=True)
        self._using: Asking[PlayoutUsing] = Asking(hub, "playout", OPENING_S, missing=missing, late=late)
        self._looking: Asking[PlayoutDevices] = Asking(hub, "playout", OPENING_S, missing=missing, late=late)

    async def use(self, device: str) -> str:
        """Play there from now on; empty: overlay and pages play. Returns the device's whole name.

        Raises:
            KitsuError: `playout_missing`, `sound_hangs`, or playout's own code; then nothing has changed.
        """
        using = await self._using.ask(PlayoutUse(device=device))
        if using.code:
            raise KitsuError(using.code, using.message)
        self._chosen = using.device
        return using.device

    async def look(self) -> DeviceState:
        """Which devices there are now.

        Raises:
            KitsuError: `playout_missing`, `sound_hangs`.
        """
        return (await self._looking.ask(PlayoutLook())).device

    def used(self, message: PlayoutUsing) -> None:
        """What became of a choice."""
        self._using.answered(message)

    def told(self, message: PlayoutDevices) -> None:
        """Playout's word, asked for or not."""
        self.now = message.device
        self._looking.answered(message)

    def rejoined(self) -> None:
        """Playout's process may be new: then it knows the settings only."""
        if self._chosen is not None:
            self._hub.send("playout", PlayoutUse(device=self._chosen, again=True))

    def gone(self) -> None:
        """Playout left: nothing plays."""
        self.now = DeviceState()
        self._using.gone()
        self._looking.gone()
