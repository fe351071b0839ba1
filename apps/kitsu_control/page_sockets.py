"""What all websockets of signed-in pages begin with."""

import re

from starlette.websockets import WebSocket

from kitsu.protocol import STAGE
from kitsu_control.answers import problem
from kitsu_control.locks import Locks

_CONV = re.compile(r"[a-z]+(:[A-Za-z0-9_.-]{1,64})?")


async def signed_in(socket: WebSocket, locks: Locks) -> bool:
    """Whether a page that is signed in asks; another one is turned away."""
    if locks.has_session(socket) or locks.has_token(socket):
        return True
    await socket.send_denial_response(problem(401, "not_signed_in", "Sign in first: `kitsu open` prints a link."))
    return False


async def wanted_conv(socket: WebSocket) -> str | None:
    """The conversation that the page is for; None: there can be none of that name, and it was turned away."""
    conv = socket.query_params.get("conv", STAGE)
    if _CONV.fullmatch(conv):
        return conv
    await socket.send_denial_response(problem(422, "bad_conv", "There is no such conversation."))
    return None
