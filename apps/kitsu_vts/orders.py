"""Faces and gestures that the operator orders, each confirmed by VTube Studio itself, never by its mere answer."""

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kitsu_vts.errors import VtsError, VtsRefusedError
from kitsu_vts.face import Face
from kitsu_vts.lane import Lane
from kitsu_vts.vocabulary import Target

MAX_WAITING = 16  # more are refused
EVENT_WITHIN_S = 1.5


@dataclass(slots=True, eq=False)
class Order:
    """One word, and who confirmed it."""

    word: str
    done: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def confirm(self, by: str) -> None:
        """It shows."""
        if not self.done.done():
            self.done.set_result(by)

    def fail(self, code: str, message: str) -> None:
        """It does not."""
        if not self.done.done():
            self.done.set_exception(VtsError(code, message, retryable=True))


class Orders:
    """What waits, and what waits for VTube Studio's event."""

    def __init__(self, face: Face) -> None:
        self.actions: frozenset[str] = frozenset()  # the character's words that pass
        self._face = face
        self._waiting: deque[Order] = deque()
        self._awaited: dict[str, Order] = {}  # hotkey id -> who waits for its event

    def put(self, word: str) -> Order:
        """One more.

        Raises:
            VtsError: `vts_busy`.
        """
        if len(self._waiting) >= MAX_WAITING:
            raise VtsError("vts_busy", "Too many orders wait for VTube Studio.", retryable=True)
        order = Order(word)
        self._waiting.append(order)
        return order

    def hotkey_ran(self, hotkey_id: Any) -> None:
        """VTube Studio's event: a hotkey was executed."""
        if isinstance(hotkey_id, str) and (order := self._awaited.pop(hotkey_id, None)) is not None:
            order.confirm("hotkey event")

    def drop(self, code: str, message: str) -> None:
        """None of them will be carried out any more."""
        for order in (*self._waiting, *self._awaited.values()):
            order.fail(code, message)
        self._waiting.clear()
        self._awaited.clear()

    def __iter__(self) -> Iterator[Order]:
        """Those that wait, taken out one by one."""
        while self._waiting:
            yield self._waiting.popleft()

    async def carry_out(self, lane: Lane, order: Order, words: Mapping[str, Target], now: float) -> None:
        """Show it and have it confirmed.

        Raises:
            VtsError: the lane is at its end; the order has failed with it.
        """
        try:
            await self._show(lane, order, words.get(order.word), now)
        except VtsRefusedError as error:
            order.fail("vts_not_shown", error.message)
        except BaseException:
            order.fail("vts_closed", "VTube Studio went away before it answered.")
            raise

    async def _show(self, lane: Lane, order: Order, target: Target | None, now: float) -> None:
        if target is not None and target.kind == "hotkey":
            self._await_event(target.key, order)
        if order.word in self.actions:
            await self._face.gesture(lane, target, now)
        else:
            await self._face.wear(lane, order.word, target, now)
        if target is None or target.kind == "expression":
            await _check(lane, order, target)

    def _await_event(self, key: str, order: Order) -> None:
        self._awaited[key] = order

        def late() -> None:
            if self._awaited.get(key) is order:
                del self._awaited[key]
                order.fail("vts_not_shown", "VTube Studio took the hotkey, but did not run it in time.")

        asyncio.get_running_loop().call_later(EVENT_WITHIN_S, late)


async def _check(lane: Lane, order: Order, target: Target | None) -> None:
    """What VTube Studio itself says of the expression."""
    data = {"details": False, "expressionFile": target.key if target else ""}
    answer = await lane.request(lane.make.BaseRequest("ExpressionStateRequest", data))
    rows = answer.get("expressions")
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    if target is not None and target.key not in {row.get("file") for row in known if row.get("active") is True}:
        order.fail("vts_not_shown", "VTube Studio took the order, but the expression does not show.")
    else:
        order.confirm("expression state")
