"""Browsers at the control door."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from kitsu.protocol import HelloAccepted, decode
from tests.fakes.door import FakeDoor, hello


@asynccontextmanager
async def overlay(door: FakeDoor, **fields: Any) -> AsyncIterator[tuple[ClientConnection, str]]:
    """An open overlay and its sink id."""
    async with door.socket("/overlay/ws") as socket:
        answer = await hello(socket, json.dumps({"type": "sink.hello", "key": door.overlay_key} | fields))
        accepted = decode(answer).message
        assert isinstance(accepted, HelloAccepted)
        yield socket, accepted.session


async def closed(socket: ClientConnection) -> int | None:
    """Read until the door closes; the code it closed with."""
    async with asyncio.timeout(5):
        while True:
            try:
                await socket.recv()
            except ConnectionClosed as error:
                return error.rcvd.code if error.rcvd else None
