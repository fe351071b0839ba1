"""What is written into the platforms' chats: composed here, judged by the gate, sent by the platform's app."""

from collections.abc import Callable, Coroutine
from typing import Any, Literal

from kitsu.errors import GateError
from kitsu.protocol import STAGE, Author, ChatSend, ChatSent, Role, new_turn_id
from kitsu.telemetry import log
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.verdicts import Judged

MAX_CODE_POINTS = 450  # the shortest limit of the platforms is 500; names come before it
Written = Literal["none", "asked", "all"]  # which of her answers go into chat
MICROPHONE = "mic"  # the platform of those who speak; nothing is written there
PLATFORMS: dict[str, Role] = {"twitch": "twitch"}
"""Which worker writes for which platform."""

WHY_NOT = {
    "removed": "",
    "cleared": "your question was taken off the list.",
    "blocked": "that is nothing she can talk about.",
    "held": "your question waits for the streamer's word.",
    "dropped": "there was no room for your question.",
    "expired": "your question waited too long, ask again.",
    "muted": "she answered, but she is muted.",
    "interrupted": "her answer was cut off.",
    "failed": "her answer failed, ask again.",
}
"""What somebody who asked by command is told when no answer was heard, by reason or outcome.

A panic is not answered, nor whoever was banned or timed out.
"""


class Replies:
    """One way out to chat. A text that the gate does not let through is not sent, nor anything in its place."""

    def __init__(self, hub: Hub, studio: Callable[[], Studio]) -> None:
        self._hub = hub
        self._studio = studio
        self.unsent = 0  # no platform app was there, or the gate said no

    async def confirm(self, author: Author, text: str) -> bool:
        """Tell somebody what came of a command. Who spoke it sees it on the page."""
        if author.platform == MICROPHONE:
            return False
        return await self._send(author, text, "confirmation")

    async def answer(self, author: Author, text: str) -> bool:
        """Write down what she has said to somebody."""
        return await self._send(author, text, "answer")

    def of_turn(self, job: Job, story: Story, written: Written) -> Coroutine[Any, Any, bool] | None:
        """Her answer in chat too, or why there is none; None when nothing is to be written."""
        if job.spoken or story.again:
            return None
        if written == "none" or (written == "asked" and not job.asked) or job.author.name == "chat":
            return None
        if story.outcome in ("spoken", "fallback") and story.heard_text:
            return self.answer(job.author, story.heard_text)
        why = WHY_NOT.get(story.reason, WHY_NOT.get(story.outcome or "")) if job.asked else None
        return self.confirm(job.author, why) if why else None

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
            ours = kind == "confirmation"
            verdict = await studio.verdict(studio.gate.judge_reply(addressed(author, text), turn_id=turn_id, ours=ours))
        except GateError as error:
            log.warning("reply.gate_error", code=error.code)
            self.unsent += 1
            return False
        studio.note(Judged(turn_id, STAGE, "output", "chat_reply", verdict.why, verdict.judged))
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
