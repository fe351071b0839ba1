"""The operator's choice of a voice while the show runs."""

import asyncio

from kitsu.errors import KitsuError
from kitsu.protocol import TtsUse, TtsUsing
from kitsu_orchestrator.hub import Hub

LOADING_S = 60.0  # a large voice on a slow disk


class VoiceChoice:
    """Passes the choice on, waits for the answer, and says it again to a voice that was restarted."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._chosen: TtsUse | None = None
        self._waiting: dict[str, asyncio.Future[TtsUsing]] = {}

    async def use(self, engine: str, voice: str) -> TtsUsing:
        """Speak with this from the next segment on.

        Raises:
            KitsuError: `voice_missing`, `voice_timeout`, or the voice's own code; then nothing has changed.
        """
        order = TtsUse(engine=engine, voice=voice)
        answer = self._waiting[order.id] = asyncio.get_running_loop().create_future()
        try:
            if not self._hub.send("tts", order):
                raise KitsuError("voice_missing", "The voice is not running; kitsu logs tts says why.", retryable=True)
            async with asyncio.timeout(LOADING_S):
                using: TtsUsing = await answer
        except TimeoutError:
            raise KitsuError(
                "voice_timeout", f"The voice did not load within {LOADING_S:g} s.", retryable=True
            ) from None
        finally:
            del self._waiting[order.id]
        if using.code:
            raise KitsuError(using.code, using.message)
        self._chosen = order
        return using

    def answered(self, message: TtsUsing) -> None:
        """The voice's word."""
        waiting = self._waiting.get(message.parent_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def rejoined(self) -> None:
        """The voice's process is new: it knows the settings only."""
        if self._chosen is not None:
            self._hub.send("tts", self._chosen)
