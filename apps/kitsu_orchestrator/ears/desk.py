"""Orders to the ears, and what they know of the show."""

import msgspec

from kitsu.errors import KitsuError
from kitsu.protocol import AsrListen, AsrLook, AsrMute, AsrPrepare, AsrState, AsrUse, AsrUsing, EarsState, ListenMode
from kitsu_orchestrator.asking import Asking
from kitsu_orchestrator.hub import Hub

LOOKING_S = 13.0  # with a driver that takes its time
NOT_THERE = "The ears are not running: set KITSU__ASR__ENABLED=true in .env, then kitsu restart."
MAX_SCENES = 64
MAX_SCENE = 80


class EarsDesk:
    """Passes orders on, and says them again to ears that were restarted."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._muted = False
        self._modes: dict[str, ListenMode] = {}  # by conversation, as far as they were chosen
        self._chosen: str | None = None
        self._prepared = AsrPrepare()
        missing = KitsuError("asr_missing", NOT_THERE, retryable=True)
        late = KitsuError("sound_hangs", "The sound system does not answer. What helps: restart it.", retryable=True)
        self._using: Asking[AsrUsing] = Asking(hub, "asr", LOOKING_S, missing=missing, late=late)
        self._looking: Asking[AsrState] = Asking(hub, "asr", LOOKING_S, missing=missing, late=late)

    def joined(self) -> None:
        """Their process may be new: then it knows the settings only."""
        self._hub.send("asr", msgspec.structs.replace(self._prepared))
        if self._muted:
            self._hub.send("asr", AsrMute(muted=True))
        for conv, mode in self._modes.items():
            self._hub.send("asr", AsrListen(conv=conv, mode=mode))
        if self._chosen is not None:
            self._hub.send("asr", AsrUse(device=self._chosen, again=True))

    def left(self) -> None:
        """They are gone."""
        self._using.gone()
        self._looking.gone()

    def prepare(self, name: str, scenes: tuple[str, ...]) -> None:
        """Her name, and what OBS can show."""
        scenes = tuple(scene for scene in scenes[:MAX_SCENES] if len(scene) <= MAX_SCENE)
        if (name, scenes) == (self._prepared.name, self._prepared.scenes):
            return
        self._prepared = AsrPrepare(name=name, scenes=scenes)
        self._hub.send("asr", self._prepared)

    def mute(self, muted: bool) -> None:
        """Close all ears, or open them.

        Raises:
            KitsuError: `asr_missing`.
        """
        self._order(AsrMute(muted=muted))
        self._muted = muted

    def listen(self, conv: str, mode: ListenMode) -> None:
        """How the sources of a conversation listen from now on. Raises like `mute`."""
        self._order(AsrListen(conv=conv, mode=mode))
        self._modes[conv] = mode

    async def use(self, device: str) -> str:
        """Another microphone of this machine; empty: none. Returns its whole name.

        Raises:
            KitsuError: `asr_missing`, `sound_hangs`, or the ears' own code; then nothing has changed.
        """
        using = await self._using.ask(AsrUse(device=device))
        if using.code:
            raise KitsuError(using.code, using.message)
        self._chosen = using.device
        return using.device

    async def look(self) -> EarsState:
        """How the ears are, and which microphones there are now. Raises like `use`."""
        return (await self._looking.ask(AsrLook())).ears

    def used(self, message: AsrUsing) -> None:
        """What became of a choice."""
        self._using.answered(message)

    def told(self, message: AsrState) -> None:
        """Their word, asked for or not."""
        self._looking.answered(message)

    def _order(self, order: AsrMute | AsrListen) -> None:
        peer = self._hub.peer("asr")
        if peer is None or "not_configured" in peer.capabilities.features or not self._hub.send("asr", order):
            raise KitsuError("asr_missing", NOT_THERE, retryable=True)
