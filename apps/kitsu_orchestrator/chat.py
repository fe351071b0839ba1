"""Platform chat at the hub: what comes in, from whatever platform, and where each line goes."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from kitsu.protocol import STAGE, ChatBatch, ChatChannel, ChatEvent, ChatLine, ChatRemoved
from kitsu.protocol.chat import MAX_BATCH
from kitsu.telemetry import log
from kitsu_orchestrator.conversation import Conversation
from kitsu_orchestrator.crowd import AuthorKey, author_key
from kitsu_orchestrator.ignored import Ignored
from kitsu_orchestrator.lines import MAX_CODE_POINTS, Job
from kitsu_orchestrator.thanks import stimulus

if TYPE_CHECKING:
    from kitsu_orchestrator.show import Show


class Chat:
    """Sorts lines: commands, paid lines, the crowd; and takes back what a platform takes back.

    Every line costs O(1) here. Nothing of it is judged, stored or told to anyone before it is chosen, but for commands
    and for lines that were paid for.
    """

    def __init__(self, show: "Show", ignored: Ignored) -> None:
        self.channels: dict[str, ChatChannel] = {}  # by platform
        self.name = ""  # hers, in lower case: a line that holds it speaks to her
        self._show = show
        self._levels = show.levels
        self._intake = show.intake
        self._store = show.store
        self._ignored = ignored
        self._commands = show.commands

    def batch(self, platform: str, message: ChatBatch) -> None:
        """Lines, in their order. A platform app speaks for its own platform only."""
        received = time.perf_counter()
        stage = self._show.conversation(STAGE)
        before = len(stage.crowd)
        if len(message.lines) > MAX_BATCH:
            self._intake.count("flood", len(message.lines) - MAX_BATCH)
        for line in message.lines[:MAX_BATCH]:
            if line.author.platform != platform or line.author.role == "operator":
                self._intake.count("forged")
            elif self._intake.is_duplicate(platform, line.message_id):
                self._intake.count("duplicate")
            elif line.author.login in self._ignored or not line.text.strip():
                self._intake.count("ignored")
            else:
                self._sort(line, stage, received)
        if len(stage.crowd) != before or before:
            stage.woken()

    def event(self, platform: str, event: ChatEvent) -> None:
        """Somebody subscribed, raided, followed …"""
        author = event.author
        if author is not None and (author.platform != platform or author.role == "operator"):
            self._intake.count("forged")
        elif self._intake.is_duplicate(platform, event.message_id):
            self._intake.count("duplicate")
        elif (author is not None and author.login in self._ignored) or not self._answers():
            self._intake.count("event_unanswered")
        else:
            self._show.thanks.add(stimulus(event))

    def removed(self, platform: str, order: ChatRemoved) -> None:
        """The platform took lines back: out of the queue, out of her mouth, out of her memory."""
        if order.platform != platform:
            return
        stage, held = self._show.conversation(STAGE), self._show.studio.held
        match order.what:
            case "line":
                count = stage.crowd.remove_line(platform, order.message_id)
                count += stage.remove(_line(platform, order.message_id))
                held.withdraw_where(_line(platform, order.message_id))
            case "author":
                who = (platform, order.user_id)
                self._show.thanks.forget(who)
                count = stage.crowd.remove_author(who) + stage.remove(_author(who))
                stage.forget(who)
                held.withdraw(platform, order.user_id)
            case "all":
                count = stage.crowd.clear() + stage.remove(lambda job: job.author.platform == platform)
                held.withdraw_where(lambda job: job.author.platform == platform)
        log.info("chat.removed", platform=platform, what=order.what, lines=count)

    def channel(self, platform: str, channel: ChatChannel) -> None:
        """Where a platform app is now."""
        if channel.platform == platform:
            self.channels[platform] = channel
            self._show.dead_air.title, self._show.dead_air.game = channel.title, channel.category

    def left(self, platform: str) -> None:
        """A platform app is gone."""
        self.channels.pop(platform, None)

    def _answers(self) -> bool:
        return self._levels.now.mode == "live" and self._levels.now.panic is None

    def _sort(self, line: ChatLine, stage: Conversation, received: float) -> None:
        if self._commands.take(line, received):
            return
        if not self._answers():
            self._intake.count("panic" if self._levels.now.panic else "off_air")
        elif line.paid >= self._intake.settings.paid_is_at_least:
            self._paid(line, stage)
            self._show.dead_air.heard()
        else:
            to_her = line.mention or (self.name and self.name in line.text.casefold())
            stage.crowd.put(line, to_her=bool(to_her))
            self._show.dead_air.heard()

    def _paid(self, line: ChatLine, stage: Conversation) -> None:
        """Written down like the operator's own lines: it is not lost in a restart without a word."""
        text = line.text[:MAX_CODE_POINTS]
        job = Job(text=text, author=line.author, message_id=line.message_id, paid=line.paid)
        self._store.save(job.story())
        stage.offer(job)


def _line(platform: str, message_id: str) -> Callable[[Job], bool]:
    return lambda job: job.author.platform == platform and bool(message_id) and job.message_id == message_id


def _author(who: AuthorKey) -> Callable[[Job], bool]:
    return lambda job: author_key(job.author) == who
