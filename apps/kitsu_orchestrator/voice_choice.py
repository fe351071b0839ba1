"""The operator's choice of a voice while the show runs."""

from kitsu.errors import KitsuError
from kitsu.protocol import TtsUse, TtsUsing
from kitsu_orchestrator.asking import Asking
from kitsu_orchestrator.hub import Hub

LOADING_S = 60.0  # a large voice on a slow disk


class VoiceChoice:
    """Passes the choice on, waits for the answer, and says it again to a voice that was restarted."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._chosen: TtsUse | None = None
        self._asking: Asking[TtsUsing] = Asking(
            hub,
            "tts",
            LOADING_S,
            missing=KitsuError("voice_missing", "The voice is not running; kitsu logs tts says why.", retryable=True),
            late=KitsuError("voice_timeout", f"The voice did not load within {LOADING_S:g} s.", retryable=True),
        )

    async def use(self, engine: str, voice: str) -> TtsUsing:
        """Speak with this from the next segment on.

        Raises:
            KitsuError: `voice_missing`, `voice_timeout`, or the voice's own code; then nothing has changed.
        """
        order = TtsUse(engine=engine, voice=voice)
        using = await self._asking.ask(order)
        if using.code:
            raise KitsuError(using.code, using.message)
        self._chosen = order
        return using

    def answered(self, message: TtsUsing) -> None:
        """The voice's word."""
        self._asking.answered(message)

    def gone(self) -> None:
        """The voice's process left."""
        self._asking.gone()

    def rejoined(self) -> None:
        """The voice's process is new: it knows the settings only."""
        if self._chosen is not None:
            self._hub.send("tts", self._chosen)
