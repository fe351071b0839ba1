"""The way out into the chat: only what the gate sealed, never faster than Twitch allows."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from kitsu.errors import EngineError, ProtocolError
from kitsu.protocol import ChatSend, ChatSent, Message, QueueState, checked
from kitsu.telemetry import Latency
from kitsu_twitch.limits import BackOff, ChatWindow, Points

WAITING_LIMIT = 50
STALE_S = 20.0  # a reply that waited longer answers nothing any more
MAX_CODE_POINTS = 500
BETWEEN = " | "
TRIES = 4


@dataclass(slots=True, eq=False)
class Reply:
    """One reply that waits."""

    order: ChatSend
    text: str
    received: float = field(default_factory=time.perf_counter)

    @property
    def age_s(self) -> float:
        return time.perf_counter() - self.received

    def told(self, state: str, code: str = "", message: str = "", merged: int = 1) -> ChatSent:
        """What became of it."""
        ms = round(self.age_s * 1000, 2)
        ended = {"state": state, "code": code, "message": message, "latency_ms": ms, "merged": merged}
        return ChatSent(parent_id=self.order.id, turn_id=self.order.turn_id, **ended)  # type: ignore[arg-type]


class Outlet:
    """Replies, one after the other. `write` puts one message into the chat; `tell` takes the answers to the hub."""

    def __init__(
        self,
        write: Callable[[str], Awaitable[None]],
        tell: Callable[[Message], None],
        window: ChatWindow,
        points: Points,
        latency: Latency,
    ) -> None:
        self._write = write
        self._tell = tell
        self._window = window
        self._points = points
        self._latency = latency
        self._waiting: deque[Reply] = deque()
        self._wake = asyncio.Event()
        self._silent = True  # until the hub says that no panic holds
        self.dropped = 0

    def put(self, order: ChatSend, key: bytes) -> None:
        """A reply; refused without the gate's seal.

        Raises:
            ProtocolError: `bad_seal`.
        """
        reply = Reply(order, "")
        try:
            reply.text = " ".join(checked(order.text, key, "chat_reply", order.turn_id).split())
        except ProtocolError as error:
            self._drop(reply, error.code, "failed")
            raise
        if self._silent and order.kind != "confirmation":
            self._drop(reply, "panic")
        elif len(self._waiting) >= WAITING_LIMIT and not self._make_room(order.kind):
            self._drop(reply, "queue_full")
        else:
            self._waiting.append(reply)
            self._wake.set()

    def silence(self) -> int:
        """Panic: nothing of hers goes out, not even what waits. Returns how much waited."""
        self._silent = True
        answers = [reply for reply in self._waiting if reply.order.kind != "confirmation"]
        for reply in answers:
            self._waiting.remove(reply)
            self._drop(reply, "panic")
        return len(answers)

    def speak(self) -> None:
        """The panic is over."""
        self._silent = False

    def state(self) -> QueueState:
        """For health."""
        return QueueState(depth=len(self._waiting), limit=WAITING_LIMIT, policy="drop_oldest", dropped=self.dropped)

    async def run(self) -> None:
        """Send for ever."""
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            delay_s = max(self._window.wait_s(), self._points.wait_s())
            if delay_s:
                await asyncio.sleep(min(delay_s, 1.0))  # in steps: what waits gets stale, or a panic comes
            self._forget_stale()
            if self._waiting and not self._window.wait_s() and not self._points.wait_s():
                await self._send(self._next())

    def _next(self) -> list[Reply]:
        """The oldest reply; with few messages left in the window, all confirmations that fit go with it."""
        together = [self._waiting.popleft()]
        if not self._window.short or together[0].order.kind != "confirmation":
            return together
        length = len(together[0].text)
        while self._waiting and self._waiting[0].order.kind == "confirmation":
            length += len(BETWEEN) + len(self._waiting[0].text)
            if length > MAX_CODE_POINTS:
                break
            together.append(self._waiting.popleft())
        return together

    async def _send(self, replies: list[Reply]) -> None:
        text = BETWEEN.join(reply.text for reply in replies)[:MAX_CODE_POINTS]
        back_off = BackOff()
        for attempt in range(TRIES):
            self._window.note()
            try:
                await self._write(text)
            except EngineError as error:
                last = attempt == TRIES - 1 or not error.retryable or replies[0].age_s > STALE_S
                if last or (self._silent and replies[0].order.kind != "confirmation"):
                    self._failed(replies, error)
                    return
                await asyncio.sleep(back_off.next_s())
            else:
                self._sent(replies)
                return

    def _sent(self, replies: list[Reply]) -> None:
        for reply in replies:
            self._latency.add(reply.age_s * 1000)
            self._tell(reply.told("sent", merged=len(replies)))

    def _failed(self, replies: list[Reply], error: EngineError) -> None:
        for reply in replies:
            self.dropped += 1
            self._tell(reply.told("failed", error.code, error.message))

    def _drop(self, reply: Reply, code: str, state: str = "dropped") -> None:
        self.dropped += 1
        self._tell(reply.told(state, code))

    def _make_room(self, kind: str) -> bool:
        """The oldest answer goes first; a confirmation goes for a confirmation only."""
        oldest = next((reply for reply in self._waiting if reply.order.kind == "answer"), None)
        if oldest is None and kind == "confirmation":
            oldest = self._waiting[0]
        if oldest is None:
            return False
        self._waiting.remove(oldest)
        self._drop(oldest, "queue_full")
        return True

    def _forget_stale(self) -> None:
        for reply in [reply for reply in self._waiting if reply.age_s > STALE_S]:
            self._waiting.remove(reply)
            self._drop(reply, "stale")
