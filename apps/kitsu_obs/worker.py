"""OBS's process: the hub on one side, OBS on the other."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import msgspec

from kitsu.config import home, load
from kitsu.errors import ConfigError, EngineError, KitsuError, ProtocolError
from kitsu.protocol import (
    Capabilities,
    ControlLevels,
    ControlPanic,
    ControlResume,
    HelloAccepted,
    HubStopping,
    Message,
    ObsOutcome,
    ObsReset,
    ObsRestore,
    ObsRun,
    ObsSetUp,
    ObsState,
    ObsSwitch,
    ObsWrite,
    Panic,
    PanicConfirmed,
    PanicUnconfirmed,
    PlayoutCaption,
    PlayoutFinished,
    PlayoutProgress,
    PlayoutStarted,
    Role,
    SinkFlush,
    TurnStarted,
)
from kitsu.telemetry import log
from kitsu.worker import Process, Worker
from kitsu_obs.account import NOT_CONFIGURED, Account
from kitsu_obs.captions import Captions
from kitsu_obs.config import ObsSettings
from kitsu_obs.connection import Address, Event
from kitsu_obs.hold import Hold
from kitsu_obs.keeper import Keeper
from kitsu_obs.link import ObsLink
from kitsu_obs.orders import Orders
from kitsu_obs.picture import RELOOK, Picture
from kitsu_obs.presets import ObsFile, load_presets

WAITING_ORDERS = 16
SETTLE_S = 0.05  # a change of the scene collection comes as a flood of events
Order = ObsSwitch | ObsRun | ObsWrite | ObsReset | ObsRestore | ObsSetUp


class ObsWorker(Worker):
    """Gives the hub's orders to OBS and tells how it is; keeps OBS on the safe scene when that is called for."""

    role: ClassVar[Role] = "obs"

    def __init__(self, process: Process) -> None:
        super().__init__(process)
        process.on_order = self._order_of_launcher
        self._settings = ObsSettings()
        self._file = ObsFile()
        self._file_trouble = ""
        self._picture = Picture()
        self._link: ObsLink | None = None
        self._keeper: Keeper | None = None
        self._orders: Orders | None = None
        self._captions: Captions | None = None
        self._running = 0
        self._relook = asyncio.Event()
        self._told: ObsState | None = None
        self._resumed_at = 0
        self._pressed_early: Panic | None = None
        self._was_joined = False
        self._announced = False  # the hub said that it goes on purpose
        self._alone: asyncio.TimerHandle | None = None
        self._key = b""

    async def start(self, stack: AsyncExitStack) -> Capabilities:
        self._settings = settings = load("obs", ObsSettings)
        home().make()
        try:
            self._file = load_presets(home())
        except ConfigError as error:  # panic must work all the same
            log.error("obs.bad_file", message_=error.message)
            self._file_trouble = error.message
        if not settings.wanted:
            self.feel("ok", NOT_CONFIGURED)
            return Capabilities(note=NOT_CONFIGURED)
        self._begin(stack)
        return Capabilities(engine="obs-websocket", max_parallel=WAITING_ORDERS, features=("panic",))

    def _begin(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        address = Address(settings.host, settings.port, settings.password)
        self._link = ObsLink(address, on_event=self._on_event, changed=self._link_changed, arrived=self._arrived)
        hold = Hold(home().data / "obs_hold.json")
        try:
            hold.read()
        except (OSError, ValueError) as error:
            log.error("obs.hold_lost", error=str(error))
            what = f"{hold.file} cannot be read: OBS may have to be taken back from {settings.safe_scene!r} by hand."
            self.error(EngineError("obs_hold_lost", what))
        self._keeper = Keeper(
            self._link, self._picture, hold, self._file.panic, settings.safe_scene, settings.timeout_s
        )
        self._orders = Orders(self._link, self._picture, self._keeper, self._file, settings)
        self._captions = Captions(self._link, settings)
        if self._pressed_early:
            self._press(self._pressed_early)
        for work in (self._link.run(), self._keeper.run(self), self._captions.run(), self._look_again()):
            task = self.tasks.create_task(work)
            stack.callback(task.cancel)

    # The hub

    async def joined(self, accepted: HelloAccepted) -> None:
        self._was_joined, self._announced, self._told = True, False, None
        self._key = bytes.fromhex(accepted.seal_key) or bytes(32)
        self._resumed_at = accepted.levels.resumed_at
        if self._alone is not None:
            self._alone.cancel()
            self._alone = None
        self._level(accepted.levels.panic)
        self._changed()

    async def lost(self) -> None:
        """Called after every failed try. A hub that went without a word is missed after a while."""
        if self._was_joined and not self._announced and self._alone is None and self._keeper is not None:
            loop = asyncio.get_running_loop()
            self._alone = loop.call_later(self._settings.hub_grace_s, self._go_alone)

    def handle(self, message: Message, payload: memoryview | None) -> None:
        match message:
            case ObsSwitch() | ObsRun() | ObsWrite() | ObsReset() | ObsRestore() | ObsSetUp():
                self._accept(message)
            case ControlPanic(panic=panic):
                self._press(panic)
            case ControlResume(levels=levels):
                self._resumed_at = levels.resumed_at
                if self._keeper is not None:
                    self._keeper.release()
            case ControlLevels():
                pass  # mute and mode are playout's
            case HubStopping():
                self._announced = True
            case TurnStarted() | PlayoutCaption() | PlayoutStarted() | PlayoutProgress() | PlayoutFinished():
                self._show(message)
            case SinkFlush():
                self._hush()
            case _:
                log.info("obs.unexpected", type=type(message).__name__)

    def latency_ms(self) -> dict[str, float]:
        if self._keeper is None or self._orders is None:
            return {}
        return self._keeper.latency.summary("safe_scene") | self._orders.latency.summary("scene")

    def _level(self, panic: Panic | None) -> None:
        """What the hub says at hello: a panic that ended meanwhile, or one that holds."""
        if self._keeper is None:
            return
        mine = self._keeper.panic
        if panic is not None:
            self._press(panic)
        elif self._keeper.wanted == "panic" and (mine is None or mine.pressed_at <= self._resumed_at):
            self._keeper.release()

    def _show(self, message: Message) -> None:
        if self._captions is None or self._keeper is None or self._keeper.held:
            return
        try:
            self._captions.see(message, self._key)
        except ProtocolError as error:
            self.error(error)

    def _hush(self) -> None:
        if self._captions is not None:
            self._captions.clear()

    def _press(self, panic: Panic) -> None:
        if panic.pressed_at < self._resumed_at:
            log.info("obs.stale_panic", panic_id=panic.panic_id)
        elif self._keeper is not None:
            self._keeper.press(panic)
            self._hush()

    def _order_of_launcher(self, order: dict[str, Any]) -> None:
        """The second path: it must work while the hub is frozen."""
        if order.get("verb") != "panic":
            return
        try:
            panic = msgspec.convert(order.get("panic"), Panic)
        except msgspec.ValidationError as error:
            log.error("obs.bad_order", reason=str(error))
            return
        self._pressed_early = panic
        self._press(panic)

    def _go_alone(self) -> None:
        log.warning("obs.alone", after_s=self._settings.hub_grace_s)
        self._hush()
        if self._keeper is not None:
            self._keeper.alone()

    # Orders

    def _accept(self, order: Order) -> None:
        if self._orders is None:
            self._answer(order, ObsOutcome(code="obs_not_configured", message=f"OBS is {NOT_CONFIGURED}."))
        elif self._running >= WAITING_ORDERS:
            self._answer(order, ObsOutcome(code="obs_busy", message="Too many orders wait for OBS."))
        else:
            self._running += 1
            self.tasks.create_task(self._work(order, self._orders))

    async def _work(self, order: Order, orders: Orders) -> None:
        began = time.perf_counter()
        try:
            outcome = await orders.do(order, self._key)
        except KitsuError as error:
            outcome = ObsOutcome(code=error.code, message=error.message)
        finally:
            self._running -= 1
        if not outcome.ms:
            outcome = msgspec.structs.replace(outcome, ms=round((time.perf_counter() - began) * 1000, 1))
        self._answer(order, outcome)
        self._changed()

    def _answer(self, order: Order, outcome: ObsOutcome) -> None:
        self.send(msgspec.structs.replace(outcome, parent_id=order.id))

    # OBS

    def _on_event(self, event: Event) -> None:
        if self._picture.see(event):
            self._changed()
        if event.name in RELOOK:
            self._relook.set()

    def _link_changed(self) -> None:
        """OBS thawed: what it did not do meanwhile must be done now."""
        if self._link is not None and self._link.trouble is None and self._keeper is not None:
            self._keeper.poke()
        self._changed()

    async def _arrived(self) -> None:
        assert self._link is not None
        assert self._keeper is not None
        await self._picture.look(self._link, self._settings.timeout_s)
        self.capabilities = msgspec.structs.replace(self.capabilities, note=f"OBS {self._picture.version}")
        self._keeper.poke()
        if self._captions is not None:
            self._captions.rewrite()
        self._changed()

    async def _look_again(self) -> None:
        """Names changed: ask anew. What is held stays held, new inputs too."""
        while True:
            await self._relook.wait()
            await asyncio.sleep(SETTLE_S)
            self._relook.clear()
            try:
                await self._arrived()
            except EngineError as error:
                log.info("obs.not_ready", code=error.code, message_=error.message)

    # Telling

    def confirmed(self, panic: Panic, latency_ms: float, detail: str) -> None:
        self.send(PanicConfirmed(panic_id=panic.panic_id, exit="obs", latency_ms=round(latency_ms, 2), detail=detail))

    def unconfirmed(self, panic: Panic, detail: str) -> None:
        log.error("obs.panic_unconfirmed", detail=detail, panic_id=panic.panic_id)
        self.send(PanicUnconfirmed(panic_id=panic.panic_id, exit="obs", detail=detail))

    def failed(self, error: EngineError) -> None:
        self.error(error)

    def held_changed(self) -> None:
        self._changed()

    def _changed(self) -> None:
        """Tell what is different, if anything is."""
        account = self._account()
        trouble = account.trouble()
        if self._link is not None:
            self.feel("degraded" if trouble else "ok", trouble)
        state = account.state(trouble)
        if self._told is None or msgspec.structs.replace(state, id=self._told.id, ts=self._told.ts) != self._told:
            self._told = state
            self.send(state)

    def _account(self) -> Account:
        return Account(
            self._settings.safe_scene, self._file, self._file_trouble, self._picture, self._link, self._keeper
        )
