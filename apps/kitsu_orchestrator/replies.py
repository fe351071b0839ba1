"""What is written into the platforms' chats: composed here, judged by the gate, sent by the platform's app."""

from collections.abc import Callable
from typing import Literal

from kitsu.errors import GateError
from kitsu.protocol import Author, ChatSend, ChatSent, Role, new_turn_id
from kitsu.telemetry import log
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.studio import Studio

MAX_CODE_POINTS = 450  # the shortest limit of the platforms is 500; names come before it
PLATFORMS: dict[str, Role] = {"twitch": "twitch"}
"""Which worker writes for which platform."""


class Replies:
    """One way out to chat. A text that the gate does not let through is not sent, nor anything in its place."""

    def __init__(self, hub: Hub, studio: Callable[[], Studio]) -> None:
        self._hub = hub
        self._studio = studio
        self.unsent = 0  # no platform app was there, or the gate said no

    async def confirm(self, author: Author, text: str) -> bool:
        """Tell somebody what came of a command."""
        return await self._send(author, text, "confirmation")

    async def answer(self, author: Author, text: str) -> bool:
        """Write down what she has said to somebody."""
        return await self._send(author, text, "answer")

    def sent(self, message: ChatSent) -> None:
        """The platform app's word on a reply."""
        if message.state != "sent":
            self.unsent += 1
            log.warning("reply.unsent", state=message.state, code=message.code)

    async def _send(self, author: Author, text: str, kind: Literal["answer", "confirmation"]) -> bool:
        role = PLATFORMS.get(author.platform)
        if role is None or self._hub.peer(role) is None:
            self.unsent += 1
            return False
        turn_id = new_turn_id()
        studio = self._studio()
        try:
            verdict = await studio.verdict(studio.gate.judge_reply(addressed(author, text), turn_id=turn_id))
        except GateError as error:
            log.warning("reply.gate_error", code=error.code)
            self.unsent += 1
            return False
        if verdict.reply is None:
            log.info("reply.blocked", rule=verdict.why.rule)
            self.unsent += 1
            return False
        return self._hub.send(role, ChatSend(turn_id=turn_id, text=verdict.reply, kind=kind))


def addressed(author: Author, text: str) -> str:
    """`@name text`, short enough for every platform. The @ keeps it from being an order like `/ban` there."""
    line = " ".join(text.split())
    if len(line) > MAX_CODE_POINTS:
        line = line[:MAX_CODE_POINTS].rpartition(" ")[0] + " …"
    return f"@{(author.login or author.name)[:40]} {line}"
