"""The parts put together: what runs behind one listening socket."""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp

from kitsu.characters import Character
from kitsu.config import Home, PolicySettings, SafetySettings, ShowSettings
from kitsu.doors import Guard, local_hosts
from kitsu.panic import PanicLatch
from kitsu.safety import Judge
from kitsu.speech.saying import Speaker
from kitsu.worker import Process
from kitsu.worker.web import serve
from kitsu_orchestrator.answer_length import AnswerLength
from kitsu_orchestrator.commands.handlers import COMMANDS
from kitsu_orchestrator.commands.table import load_commands
from kitsu_orchestrator.config import ChatSettings, DeadAirSettings, IntakeSettings, TalkSettings, TurnSettings
from kitsu_orchestrator.crisis import CrisisCare
from kitsu_orchestrator.ears.files import MAX_BYTES as MAX_SOUND_BYTES
from kitsu_orchestrator.held import HeldLines
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.ignored import Ignored
from kitsu_orchestrator.intake import Intake
from kitsu_orchestrator.launcher import Launcher
from kitsu_orchestrator.levels import Levels
from kitsu_orchestrator.rest import build
from kitsu_orchestrator.routing import Router
from kitsu_orchestrator.rule_files import RuleFiles
from kitsu_orchestrator.rule_keeper import RuleKeeper
from kitsu_orchestrator.safety_desk import SafetyDesk
from kitsu_orchestrator.services import Services
from kitsu_orchestrator.show import Show
from kitsu_orchestrator.slots import Slots
from kitsu_orchestrator.store import Store
from kitsu_orchestrator.studio import Studio
from kitsu_orchestrator.this_show import ThisShow

STOP_WITHIN_S = 3.0


@dataclass(frozen=True, slots=True)
class Settings:
    """The sections that the orchestrator reads."""

    show: ShowSettings
    turn: TurnSettings
    intake: IntakeSettings
    policy: PolicySettings
    chat: ChatSettings
    dead_air: DeadAirSettings = field(default_factory=DeadAirSettings)
    safety: SafetySettings = field(default_factory=SafetySettings)
    talk: TalkSettings = field(default_factory=TalkSettings)


class Orchestrator:
    """One show: `gate` with its sealing `key`, `character`, state under `where`."""

    def __init__(
        self,
        where: Home,
        settings: Settings,
        character: Character,
        gate: Judge,
        key: bytes,
        token: str,
        launcher_url: str,
        pronunciation: Mapping[str, str] | None = None,
        keeper: RuleKeeper | None = None,
        this_show: ThisShow | None = None,
    ) -> None:
        self._token = token
        self._turns = where.turns
        self._hub = Hub(token, key)
        self._store = Store.sqlite(where.data / "kitsu.db")
        self._launcher = Launcher(launcher_url, token)
        self.show = self._make_show(where, settings)
        self._hub.attach(Router(self.show))
        speaker = Speaker(character.language, pronunciation)
        files = RuleFiles(where.configs / "safety", where.own_words_file, settings.safety)
        keeper = keeper or RuleKeeper(gate, files, key, watching=False)
        self._desk = SafetyDesk(keeper, character, where.configs / "characters", speaker)
        self._desk.attach(self.show)
        self._this_show = this_show or ThisShow(where.this_show_file, "")
        held = HeldLines(settings.safety.hold_max, settings.safety.hold_minutes * 60)
        self._this_show.restore(held)
        self._this_show.tell = self.show.notice
        held.changed = keeper.now_only_changed = self._this_show.changed
        self._studio = self._make_studio(settings, character, speaker, held)

    def _make_show(self, where: Home, settings: Settings) -> Show:
        latch = PanicLatch(where.panic_file)
        show = Show(
            self._hub,
            Levels(settings.show.start, latch.read(), topics=settings.dead_air.enabled),
            Intake(settings.intake),
            self._store,
            Services(self._hub),
            latch,
            settings.dead_air,
            settings.talk,
        )
        ignored = Ignored(where.data / "ignored.json")
        show.open_chat(settings.chat, load_commands(where, COMMANDS), ignored)
        return show

    def _make_studio(self, settings: Settings, character: Character, speaker: Speaker, held: HeldLines) -> Studio:
        return Studio(
            hub=self._hub,
            gate=self._desk.judge,
            voices=Slots(),
            brains=Slots(),
            publish=self.show.stream.publish,
            character=character,
            turn=settings.turn,
            policy=settings.policy,
            length=AnswerLength(settings.turn.first_audio_target_ms),
            speaker=speaker,
            care=CrisisCare(settings.safety.crisis_minutes * 60),
            held=held,
            note=self._store.note,
            canary=self._desk.canary,
            own_lines=self._desk.own_lines,
        )

    async def run(self, listener: socket.socket, process: Process) -> None:
        """Serve until the process is told to stop.

        Raises:
            ConfigError: `database_newer`.
        """
        process.grace_s = STOP_WITHIN_S

        def report() -> None:
            trouble = self._desk.keeper.trouble
            process.report(state="degraded" if trouble else "ok", reason=trouble)

        self._desk.report = report
        await self._store.open()
        try:
            async with asyncio.TaskGroup() as group:
                show = group.create_task(self.show.run(self._studio))
                desk = group.create_task(self._desk.run())
                keeping = group.create_task(self._this_show.keep(lambda: self._desk.keeper.now_only, self._studio.held))
                door = self._door(listener.getsockname()[1])
                serving = group.create_task(serve(door, listener, started=report))
                await process.stopping.wait()
                await self.show.stop()
                serving.cancel()
                await asyncio.wait({serving})
                desk.cancel()
                show.cancel()
                keeping.cancel()
                self._this_show.forget()
        finally:
            await self._store.close()

    def _door(self, port: int) -> ASGIApp:
        return Guard(
            build(self.show, self._launcher, self._turns, self._desk.keeper),
            token=self._token,
            hosts=local_hosts(port),
            open_paths=frozenset({"/healthz", "/hub"}),  # the hub's own hello carries the token
            large={"/transcribe": MAX_SOUND_BYTES},
        )
