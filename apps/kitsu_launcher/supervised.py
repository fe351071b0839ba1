"""One service, kept alive: started, watched, started again, stopped."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from kitsu.process import EXIT_CONFIG
from kitsu.services import Service
from kitsu.telemetry import log
from kitsu_launcher.beats import Beat, parse_beat, parse_log
from kitsu_launcher.child import Child
from kitsu_launcher.config import LauncherSettings
from kitsu_launcher.logs import ServiceLog
from kitsu_launcher.system import System

State = Literal["off", "stopped", "starting", "ok", "degraded", "failed", "waiting", "stopping"]

QUICK_DEATH_S = 10.0
PAUSE_S = 0.25
READY_PAUSE_S = 1.0  # longest pause for a service that had come up before it died
TICK_S = 0.25


@dataclass(frozen=True, slots=True)
class Death:
    """How a run ended."""

    code: int
    lived_s: float
    was_ready: bool


def pause_s(death: Death, quick_deaths: int, longest_s: float) -> float:
    """Seconds until the next try. The first restart is immediate; pauses double only after deaths within 10 s."""
    if quick_deaths <= 1:
        return 0.0
    longest = min(longest_s, READY_PAUSE_S) if death.was_ready else longest_s
    return min(longest, PAUSE_S * 2.0 ** min(quick_deaths - 2, 20))


def ending(code: int, failure: str) -> str:
    """An exit code in words."""
    how = f"killed by signal {-code}" if code < 0 else f"ended with code {code}"
    return f"{how}: {failure}" if failure else how


class Supervised:
    """One row of the services table, as a running thing."""

    def __init__(
        self,
        service: Service,
        *,
        settings: LauncherSettings,
        system: System,
        service_log: ServiceLog,
        changed: Callable[[], None],
    ) -> None:
        self.service = service
        self.child: Child | None = None
        self.state: State = "stopped"
        self.ready = False
        self.reason = ""
        self.restarts = 0
        self.exit_code: int | None = None
        self._settings = settings
        self._system = system
        self._log = service_log
        self._changed = changed
        self._task: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._turnstile = asyncio.Lock()  # one start or stop at a time
        self._started = 0.0
        self._silent_s = 0.0
        self._heard = asyncio.Event()  # its heart has beaten in this run
        self._failure = ""

    def line_up(self) -> None:
        """It will be started when it is its turn."""
        self._show("starting", "starting")

    async def begin(self, group: asyncio.TaskGroup, within_s: float) -> None:
        """Start it, and wait until its heart beats: it has read its program then. Stopped meanwhile, it stays so."""
        if self.state != "starting":
            return
        await self.start(group)
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._heard.wait()

    async def start(self, group: asyncio.TaskGroup) -> None:
        """Keep it running; nothing happens when it is."""
        async with self._turnstile:
            if self._task is None or self._task.done():
                self._stop.clear()
                self._show("starting", "starting")
                self._task = group.create_task(self._keep_running())

    async def stop(self) -> None:
        """Stop it and wait until nothing of it is left."""
        async with self._turnstile:
            if self._task is not None:
                self._stop.set()
                await asyncio.wait({self._task})
            self._log.close()
            self._show("stopped", "")

    def leave_off(self, why: str) -> None:
        """It is not started with the others."""
        self._show("off", why)

    def order(self, order: dict[str, Any]) -> bool:
        """An order on its stdin, at once; False when it does not run."""
        return self.child is not None and self.child.order(order)

    def status(self) -> dict[str, Any]:
        """What `GET /status` says about it."""
        return {
            "name": self.service.name,
            "role": self.service.role,
            "does": self.service.does,
            "without_it": self.service.without_it,
            "state": self.state,
            "ready": self.ready,
            "reason": self.reason,
            "pid": self.child.pid if self.child else None,
            "uptime_s": round(time.monotonic() - self._started, 1) if self.child else 0.0,
            "restarts": self.restarts,
            "exit_code": self.exit_code,
            "log_lines_lost": self._log.lost,
        }

    async def _keep_running(self) -> None:
        quick_deaths = 0
        while True:
            death = await self._live()
            if self._stop.is_set():
                return
            log.warning("service.died", name=self.service.name, code=death.code, lived_s=round(death.lived_s, 2))
            if death.code == EXIT_CONFIG:
                self._show("failed", self._failure or "a setting is wrong")
                return
            quick_deaths = quick_deaths + 1 if death.lived_s < QUICK_DEATH_S else 0
            pause = pause_s(death, quick_deaths, self._settings.restart_max_s)
            if await self._paused(pause, ending(death.code, self._failure)):
                return
            self.restarts += 1

    async def _paused(self, seconds: float, why: str) -> bool:
        """Wait before the next try; True when told to stop meanwhile."""
        self._show("waiting" if seconds else "starting", why)
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return False
        return True

    async def _live(self) -> Death:
        """One run, from start to end."""
        self._started = time.monotonic()
        self._heard.clear()
        self._silent_s, self._failure = 0.0, ""
        try:
            self.child = child = await Child.spawn(
                self.service.module, self._system, on_stdout=self._hear, on_stderr=self._note
            )
        except OSError as error:
            self._failure = f"cannot be started: {error.strerror}"
            return Death(1, 0.0, was_ready=False)
        self._changed()
        log.info("service.started", name=self.service.name, pid=child.pid)
        async with asyncio.TaskGroup() as group:
            guards = [group.create_task(self._watch(child)), group.create_task(self._obey(child))]
            code = await child.wait()
            for task in guards:
                task.cancel()
        was_ready, self.ready = self.ready, False
        self.child, self.exit_code = None, code
        self._changed()
        return Death(code, time.monotonic() - self._started, was_ready)

    def _hear(self, line: bytes) -> None:
        beat = parse_beat(line)
        if beat is None:
            self._log.write(parse_log(self.service.name, line, "stdout").text)
        else:
            self._beat(beat)

    def _beat(self, beat: Beat) -> None:
        self._heard.set()
        self._silent_s = 0.0
        if not self._stop.is_set():
            self.ready = beat.ready
            self._show(beat.state if beat.ready or beat.state == "failed" else "starting", beat.reason)

    def _note(self, line: bytes) -> None:
        entry = parse_log(self.service.name, line)
        self._failure = entry.failure or self._failure
        self._log.write(entry.text)

    async def _watch(self, child: Child) -> None:
        """Kill it when its heart stops. Ticks are counted, not the clock: a machine that slept has missed nothing."""
        while True:
            await asyncio.sleep(TICK_S)
            self._silent_s += TICK_S
            allowed = self._settings.hang_s if self._heard.is_set() else self._settings.start_s
            if self._silent_s > allowed:
                self._failure = f"no heartbeat for {allowed:g} s"
                log.warning("service.hangs", name=self.service.name, pid=child.pid, silent_s=allowed)
                child.kill()
                return

    async def _obey(self, child: Child) -> None:
        await self._stop.wait()
        self.ready = False
        self._show("stopping", "")
        await child.stop(self._settings)

    def _show(self, state: State, reason: str) -> None:
        self.state, self.reason = state, reason
        if state not in ("ok", "degraded"):
            self.ready = False
