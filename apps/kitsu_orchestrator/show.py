"""The show: what the operator's verbs and the workers' messages do to it."""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from kitsu.characters import quote_line
from kitsu.errors import KitsuError
from kitsu.panic import PanicLatch
from kitsu.protocol import (
    STAGE,
    ChatShed,
    ControlLevels,
    ControlPanic,
    ControlResume,
    HubStopping,
    Mode,
    Panic,
    ShowChanged,
    StateSnapshot,
    StreamNotice,
    TurnState,
)
from kitsu.telemetry import log
from kitsu_orchestrator.chat import Chat
from kitsu_orchestrator.commands.handlers import Handlers
from kitsu_orchestrator.commands.runner import Commands
from kitsu_orchestrator.commands.table import CommandTable
from kitsu_orchestrator.config import ChatSettings, DeadAirSettings, TalkSettings
from kitsu_orchestrator.conversation import Conversation
from kitsu_orchestrator.dead_air import DeadAir
from kitsu_orchestrator.device_choice import DeviceChoice
from kitsu_orchestrator.ears.desk import EarsDesk
from kitsu_orchestrator.ears.files import Files
from kitsu_orchestrator.ears.talk import Talk
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.ignored import Ignored
from kitsu_orchestrator.intake import Intake
from kitsu_orchestrator.levels import Levels
from kitsu_orchestrator.lines import Job
from kitsu_orchestrator.obs import ObsDesk
from kitsu_orchestrator.panic_desk import PanicDesk
from kitsu_orchestrator.replies import Replies, Written
from kitsu_orchestrator.services import Services
from kitsu_orchestrator.store import Store
from kitsu_orchestrator.story import Story
from kitsu_orchestrator.stream import Stream
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.thanks import Thanks
from kitsu_orchestrator.turn import Turn
from kitsu_orchestrator.voice_choice import VoiceChoice
from kitsu_orchestrator.vts import VtsOrders

FORGET_EVERY_S = 86_400.0
TELL_SHED_EVERY_S = 1.0
STOP_TURNS_S = 1.5


class Show:
    """Conversations, levels and panic."""

    def __init__(
        self,
        hub: Hub,
        levels: Levels,
        intake: Intake,
        store: Store,
        services: Services,
        latch: PanicLatch,
        dead_air: DeadAirSettings | None = None,
        talk: TalkSettings | None = None,
    ) -> None:
        self.hub = hub
        self.levels = levels
        self.intake = intake
        self.store = store
        self.services = services
        self.stream = Stream(self.snapshot)
        self.studio: Studio
        self.conversations: dict[str, Conversation] = {}
        self.panic_desk = PanicDesk(levels, latch, self._publish_levels, self.notice)
        store.hurried = lambda: any(turn.unheard for turn in self.playing())
        self.voice_choice = VoiceChoice(hub)
        self.obs = ObsDesk(hub)
        self.vts = VtsOrders(hub)
        self.ears = EarsDesk(hub)
        self.files = Files(hub)
        self.talk = Talk(self, talk or TalkSettings())
        self.dead_air = DeadAir(self, dead_air or DeadAirSettings())
        self.thanks = Thanks(self, dead_air or DeadAirSettings())
        self.device_choice = DeviceChoice(hub)
        self.safety_state: Callable[[], dict[str, Any]] = dict
        self._runners: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup
        self.replies = Replies(hub, lambda: self.studio)
        self.chat: Chat
        self.commands: Commands
        self._written: Written = "none"

    def open_chat(self, settings: ChatSettings, table: CommandTable, ignored: Ignored) -> None:
        """Make the desks for the platforms' chat."""
        self._written = settings.answers
        self.commands = Commands(table, self.replies, self._is_live, self.stream.publish, self.intake.count)
        for name, handler in Handlers(self, self.commands, ignored).all().items():
            self.commands.register(name, handler)
        self.chat = Chat(self, ignored)

    async def run(self, studio: Studio) -> None:
        """Answer lines until cancelled."""
        self.studio = studio
        self.obs.judge, self.obs.note = studio.gate, studio.note
        self.chat.name = studio.character.name.casefold()
        self.scenes_changed()
        async with asyncio.TaskGroup() as self._group:
            self._group.create_task(self.store.write_all())
            self._group.create_task(self._forget_old())
            self._group.create_task(self._tell_shed())
            await self._recall(self.conversation(STAGE))
            self._group.create_task(self.dead_air.run())
            self._group.create_task(self.thanks.run())
            await asyncio.Event().wait()

    async def stop(self) -> None:
        """Kitsu stops: every line that sounds or waits ends, and whoever waits for it is told."""
        self.hub.send("obs", HubStopping())
        await self.commands.stop()
        gens = self.levels.bump_all()
        ends = [turn.job.done for turn in self.playing()]
        for name, conversation in self.conversations.items():
            conversation.end_all("dropped", "stopped", gens[name])
        if ends:
            await asyncio.wait(ends, timeout=STOP_TURNS_S)

    # Lines

    def conversation(self, name: str) -> Conversation:
        """The conversation of that name, begun if need be; the idlest private one goes when there are too many.

        Raises:
            KitsuError: `too_many_conversations` when all of them are busy.
        """
        found = self.conversations.get(name)
        if found is not None:
            return found
        if len(self.conversations) >= self.intake.settings.max_conversations:
            self._forget_idlest()
        conversation = Conversation(name, self.studio, self.levels, self.intake, self.store)
        self.conversations[name] = conversation
        conversation.on_end = self._ended
        self.levels.gen(name)
        self._runners[name] = self._group.create_task(conversation.run())
        return conversation

    def offer(self, job: Job, *, now: bool = False) -> None:
        """A line that passed the door. `now`: it cuts what she is saying.

        Raises:
            KitsuError: `too_many_conversations`.
        """
        conversation = self.conversation(job.conv)
        if self.levels.now.panic is not None:
            conversation.end(job, "panic", "panic")
        elif not job.pardoned and self.intake.is_duplicate(job.author.platform, job.message_id):
            conversation.end(job, "dropped", "duplicate")
        else:
            conversation.offer(job, now=now)
            if job.conv == STAGE and job.cue is None:
                self.dead_air.heard()

    async def story(self, turn_id: str) -> dict[str, Any] | None:
        """What is known of a turn, wherever it stands.

        Raises:
            KitsuError: `store_failed`.
        """
        if (turn := self.find(turn_id)) is not None:
            return turn.story.as_json()
        waiting = (conversation.waiting.find(turn_id) for conversation in self.conversations.values())
        if (job := next(filter(None, waiting), None)) is not None:
            return job.story().as_json()
        if (ended := self.intake.ended(turn_id)) is not None:
            return ended.as_json()
        return await self.store.get(turn_id)

    def find(self, turn_id: str) -> Turn | None:
        """A running turn."""
        return next((turn for turn in self._running() if turn.job.turn_id == turn_id), None)

    def scenes_changed(self) -> None:
        """The ears know OBS's scenes by name."""
        self.ears.prepare(self.studio.character.name, self.obs.state.scenes if self.obs.state else ())

    # The operator's verbs

    def skip(self, conv: str) -> bool:
        """End the running turn. False: there was none."""
        conversation = self.conversations.get(conv)
        return conversation is not None and conversation.interrupt("interrupted", "skip")

    def set_muted(self, muted: bool) -> None:
        """Mute or unmute; turns run on."""
        self.levels.set_muted(muted)
        self._levels_changed()

    def set_volume(self, percent: int) -> None:
        """Louder or quieter on all sinks; recordings stay as they are."""
        self.levels.set_volume(percent)
        self._levels_changed()

    def set_topics(self, on: bool) -> None:
        """Whether she may begin to talk by herself when chat is quiet."""
        self.levels.set_topics(on)
        self._levels_changed()

    def set_mode(self, mode: Mode) -> None:
        """On air or not."""
        self.levels.set_mode(mode)
        self._levels_changed()

    def panic(self, panic: Panic) -> None:
        """Everything silent, on every exit: told first, everything else after. Pressed again, it is told again."""
        if self.levels.is_over(panic):
            return
        held = self.levels.panic(panic)
        gens = self.levels.bump_all()
        self.hub.broadcast(ControlPanic(panic=held, gens=gens))
        for conv, gen in gens.items():
            self.hub.flush(conv, gen)
        expected = self.panic_desk.expect(held.panic_id, self.services.exits())
        for name, conversation in self.conversations.items():
            conversation.end_all("panic", "panic", gens[name])
        log.warning("panic.pressed", by=panic.by, panic_id=held.panic_id)
        self._publish_levels()
        self._group.create_task(self.panic_desk.settle(expected))
        self._group.create_task(self.panic_desk.latch_down())

    def resume(self) -> None:
        """The show goes on. Told even when no panic holds here: the launcher may have silenced playout by itself."""
        gens = self.levels.bump_all() if self.levels.now.panic else self.levels.gens()
        self.levels.resume()
        self.panic_desk.over()
        self.hub.broadcast(ControlResume(levels=self.levels.now, gens=gens))
        log.warning("panic.resumed")
        self._publish_levels()
        self._group.create_task(self.panic_desk.latch_down())

    def snapshot(self) -> StateSnapshot:
        """Everything a page needs."""
        return StateSnapshot(
            levels=self.levels.now,
            character=self.studio.character.name,
            services=self.services.states(),
            sinks=self.services.sinks,
            device=self.device_choice.now,
            current=tuple(turn.state() for turn in self.playing() if turn.started is not None),
            recent=tuple(self.recent()),
            waiting=self._waiting(),
            dropped=dict(self.intake.dropped),
            confirmed=self.panic_desk.exits(),
            obs=self.obs.state,
            ears=self.talk.state,
        )

    def recent(self) -> list[TurnState]:
        """The last ended turns of all conversations, oldest first."""
        ended = [state for conversation in self.conversations.values() for state in conversation.ended]
        return sorted(ended, key=lambda state: state.started_at)[-20:]

    def notice(self, level: Literal["info", "warn", "error"], code: str, message: str) -> None:
        """Tell the operator."""
        self.stream.publish(StreamNotice(level=level, code=code, message=message))

    # Inside

    def playing(self) -> list[Turn]:
        """The turns that may be heard now, one a conversation."""
        return [c.current for c in self.conversations.values() if c.current is not None]

    def _running(self) -> list[Turn]:
        prepared = [c.speculative for c in self.conversations.values() if c.speculative is not None]
        return self.playing() + prepared

    def _levels_changed(self) -> None:
        self.hub.broadcast(ControlLevels(levels=self.levels.now))
        self._publish_levels()

    def _publish_levels(self) -> None:
        self.stream.publish(ShowChanged(levels=self.levels.now, confirmed=self.panic_desk.exits()))

    async def _recall(self, conversation: Conversation) -> None:
        """After a restart she still knows what was said last."""
        try:
            rows = await self.store.latest(conversation.name, self.studio.turn.history_lines // 2)
        except KitsuError as error:
            log.error("history.lost", code=error.code)
            return
        for row in reversed(rows):
            asked = (
                quote_line(row["author_role"], row["author"] or "someone", row["text"])
                if row["text"] and row["kind"] == "chat"
                else ""
            )
            conversation.remember(asked, row["heard"])

    async def _forget_old(self) -> None:
        while True:
            await self.store.forget(self.studio.turn.keep_days)
            await asyncio.sleep(FORGET_EVERY_S)

    async def _tell_shed(self) -> None:
        """Dropped lines, as a sum: a flood of lines must not become a flood of messages."""
        while True:
            await self.intake.changed.wait()
            self.intake.changed.clear()
            self.stream.publish(ChatShed(dropped=dict(self.intake.dropped), waiting=self._waiting()))
            await asyncio.sleep(TELL_SHED_EVERY_S)

    def _waiting(self) -> int:
        return sum(conversation.backlog for conversation in self.conversations.values())

    def _ended(self, job: Job, story: Story) -> None:
        self.talk.ended(job, story)
        if writing := self.replies.of_turn(job, story, self._written):
            self._group.create_task(writing)

    def _is_live(self, platform: str) -> bool | None:
        channel = self.chat.channels.get(platform)
        return channel.live if channel is not None else None

    def _forget_idlest(self) -> None:
        idle = [c for c in self.conversations.values() if c.idle and c.name != STAGE]
        if not idle:
            text = "Every conversation is busy; more than intake.max_conversations cannot be had at once."
            raise KitsuError("too_many_conversations", text, retryable=True)
        oldest = min(idle, key=lambda conversation: conversation.last_used)
        self._runners.pop(oldest.name).cancel()
        del self.conversations[oldest.name]
        self.levels.forget(oldest.name)
