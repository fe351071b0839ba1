"""A websocket at the control door, let in by the show's token."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake

from bench.errors import BenchError
from bench.stack import Place
from kitsu.protocol import HelloAccepted, decode


@asynccontextmanager
async def door_socket(
    place: Place, path: str, hello: str, *, code: str, what: str
) -> AsyncIterator[tuple[ClientConnection, HelloAccepted]]:
    """One that has said `hello` at `path` and was welcomed, until the block ends.

    Raises:
        BenchError: `code`; `what` was not let in.
    """
    url = f"ws://127.0.0.1:{place.network.control_port}{path}"
    headers = {"Authorization": f"Bearer {place.token()}"}
    try:
        socket = await connect(url, additional_headers=headers, compression=None, proxy=None)
    except (OSError, InvalidHandshake) as error:
        raise BenchError(code, f"The control door let no {what} in: {error}") from None
    async with socket:
        await socket.send(hello)
        welcome = decode(await socket.recv()).message
        if not isinstance(welcome, HelloAccepted):
            raise BenchError(code, f"The control door answered {welcome}")
        yield socket, welcome
