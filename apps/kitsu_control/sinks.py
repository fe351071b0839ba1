"""One browser that watches and listens: an overlay in OBS, or the control page with "listen here" on."""

import asyncio
import secrets
from typing import Literal

from kitsu.protocol import Message, SinkClosed, SinkOpened, SinkPosition
from kitsu.worker import Outbox

MEDIA_LIMIT = 50
"""Frames of sound that may wait for one browser (about 1 s): older ones are of no use to it."""

Kind = Literal["overlay", "page"]


class BrowserSink:
    """What the relay knows of it. The socket itself is served in `sockets.py`."""

    def __init__(self, kind: Kind, conv: str, *, sound: bool, label: str = "") -> None:
        self.id = f"{kind}-{secrets.token_hex(4)}"
        self.kind = kind
        self.conv = conv
        self.sound = sound  # False: shows captions and mouth only; playout never hears of it
        self.label = label
        self.outbox = Outbox(MEDIA_LIMIT)
        self.position: SinkPosition | None = None
        self.closing = asyncio.Event()
        self.close_code, self.close_reason = 1000, ""

    def tell(self, message: Message) -> None:
        """Queue a message; a browser that stopped reading is let go."""
        if not self.outbox.put(message):
            self.close(4008, "too_slow")

    def close(self, code: int, reason: str) -> None:
        """Ask the socket's task to close."""
        if not self.closing.is_set():
            self.close_code, self.close_reason = code, reason
            self.closing.set()

    def opened(self) -> SinkOpened:
        return SinkOpened(conv=self.conv, sink=self.id, kind=self.kind, label=self.label)

    def closed(self) -> SinkClosed:
        return SinkClosed(conv=self.conv, sink=self.id)
