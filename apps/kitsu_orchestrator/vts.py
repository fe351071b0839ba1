"""The operator's orders to VTube Studio, and what the link said last."""

import asyncio
from typing import Any

import msgspec

from kitsu.errors import KitsuError
from kitsu.protocol import VtsDone, VtsExpress, VtsReset, VtsState
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.services import absence

EXPRESS_S = 4.0
RESET_S = 8.0


class VtsOrders:
    """Passes an order on and waits until VTube Studio itself has confirmed it."""

    def __init__(self, hub: Hub) -> None:
        self.state = _gone()
        self._hub = hub
        self._waiting: dict[str, asyncio.Future[VtsDone]] = {}

    async def express(self, word: str) -> VtsDone:
        """Show a face or make a gesture of the character's, now.

        Raises:
            KitsuError: `vts_missing`, `vts_not_configured`, `vts_timeout`, or the link's own code.
        """
        return await self._order(VtsExpress(word=word), EXPRESS_S)

    async def reset(self) -> VtsDone:
        """Begin the link anew.

        Raises:
            KitsuError: as `express`; with the link's code when it does not stand again.
        """
        return await self._order(VtsReset(), RESET_S)

    def answered(self, message: VtsDone) -> None:
        """The worker's word."""
        waiting = self._waiting.get(message.parent_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    def left(self) -> None:
        """The worker is gone."""
        self.state = _gone()

    def as_json(self) -> dict[str, Any]:
        """The shape of `GET /vts`."""
        state = msgspec.structs.asdict(self.state)
        return {key: state[key] for key in ("link", "reason", "version", "model", "wearing", "words", "missing")}

    async def _order(self, order: VtsExpress | VtsReset, within_s: float) -> VtsDone:
        answer = self._waiting[order.id] = asyncio.get_running_loop().create_future()
        try:
            if not self._hub.send("vts", order):
                raise absence("vts")
            async with asyncio.timeout(within_s):
                done: VtsDone = await answer
        except TimeoutError:
            text = f"VTube Studio has not confirmed it within {within_s:g} s."
            raise KitsuError("vts_timeout", text, retryable=True) from None
        finally:
            del self._waiting[order.id]
        if done.code:
            raise KitsuError(done.code, done.message)
        return done


def _gone() -> VtsState:
    """As long as there is no worker to say more."""
    why = absence("vts")
    return VtsState(link="unreachable" if why.retryable else "off", reason=why.message)
