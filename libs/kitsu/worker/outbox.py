"""What waits to be sent on one connection: control before media, both bounded."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from kitsu.protocol import Message, QueueState, encode

CONTROL_LIMIT = 2048
MEDIA_LIMIT = 256

Send = Callable[[str | bytes], Awaitable[None]]


class Outbox:
    """Two queues in front of one socket.

    Control messages are never dropped: a peer that lets `CONTROL_LIMIT` of them pile up is as good as gone, and
    `put` says so. Media drops its oldest frame when full (counted), unless the producer waits with `put_waiting`.
    """

    def __init__(self, media_limit: int = MEDIA_LIMIT) -> None:
        self._control: deque[str | bytes] = deque()
        self._media: deque[tuple[str, int, str | bytes, str]] = deque()  # conv, gen, frame, turn_id
        self._media_limit = media_limit
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self.dropped = 0

    def put(self, message: Message) -> bool:
        """Queue a control message. False: the peer has stopped reading."""
        return self.put_frame(encode(message))

    def put_frame(self, frame: str | bytes) -> bool:
        """Queue an encoded control frame."""
        if len(self._control) >= CONTROL_LIMIT:
            return False
        self._control.append(frame)
        self._wake.set()
        return True

    def put_media(self, conv: str, gen: int, frame: str | bytes, turn_id: str = "") -> None:
        """Queue an encoded media frame; the oldest goes when there is no room."""
        if len(self._media) >= self._media_limit:
            self._media.popleft()
            self.dropped += 1
        self._media.append((conv, gen, frame, turn_id))
        if len(self._media) >= self._media_limit:
            self._room.clear()
        self._wake.set()

    async def put_waiting(self, conv: str, gen: int, frame: str | bytes, turn_id: str = "") -> None:
        """Queue a media frame, waiting for room."""
        while len(self._media) >= self._media_limit:  # the room may be gone again when several waited for it
            await self._room.wait()
        self.put_media(conv, gen, frame, turn_id)

    def flush(self, conv: str, gen: int, turn_id: str = "") -> None:
        """Forget media of `conv` older than `gen`. `turn_id`: of that turn only."""
        self._media = deque(
            item for item in self._media if item[0] != conv or item[1] >= gen or turn_id not in ("", item[3])
        )
        self._make_room()

    def clear(self) -> None:
        """Forget everything: the peer that it was meant for is gone. Waiting producers go on."""
        self._control.clear()
        self._media.clear()
        self._make_room()

    def state(self) -> dict[str, QueueState]:
        """Depths and drops, for health."""
        return {
            "control": QueueState(depth=len(self._control), limit=CONTROL_LIMIT, policy="reject"),
            "media": QueueState(
                depth=len(self._media), limit=self._media_limit, policy="drop_oldest", dropped=self.dropped
            ),
        }

    async def pump(self, send: Send) -> None:
        """Send for ever. Raises whatever `send` raises."""
        while True:
            if self._control:
                await send(self._control.popleft())
            elif self._media:
                frame = self._media.popleft()[2]
                self._make_room()
                await send(frame)
            else:
                self._wake.clear()
                await self._wake.wait()

    def _make_room(self) -> None:
        if len(self._media) < self._media_limit:
            self._room.set()
