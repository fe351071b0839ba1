"""All services of a show: started in turn, stopped at once, and the second path of panic."""

import asyncio
import json
import os
import time
from collections.abc import Iterable, Mapping
from typing import Any

import psutil

from kitsu.config import Home, LogSettings, NetworkSettings, is_wanted
from kitsu.errors import KitsuError
from kitsu.panic import PanicLatch
from kitsu.protocol.control import Panic
from kitsu.services import Service
from kitsu.telemetry import log
from kitsu_launcher.config import LauncherSettings
from kitsu_launcher.logs import ServiceLog
from kitsu_launcher.supervised import Supervised
from kitsu_launcher.system import System

MIB = 1 << 20
LONGEST_TURN_S = 1.0  # a service that hangs holds up the next ones no longer
SPEAKER = "playout"  # the service that the second path of panic silences
SCREEN = "obs"  # and the one that takes OBS to the safe scene; what it says comes through the hub


class NoSuchServiceError(KitsuError):
    """There is no service of that name."""


class Show:
    """The processes of one installation."""

    def __init__(
        self,
        services: Mapping[str, Service],
        *,
        where: Home,
        settings: LauncherSettings,
        logs: LogSettings,
        network: NetworkSettings,
        system: System,
    ) -> None:
        self._home = where
        self._network = network
        self._began = time.monotonic()
        self._group: asyncio.TaskGroup
        self.stopping = asyncio.Event()
        self.services = {
            name: Supervised(
                service,
                settings=settings,
                system=system,
                service_log=service_log(where, logs, name),
                changed=self._note,
            )
            for name, service in services.items()
        }

    async def start(self, group: asyncio.TaskGroup, only: Iterable[str] = ()) -> None:
        """Start all services that are wanted, or those named. Their tasks live in `group`.

        The first one has a processor to itself: it takes longest, and the others wait for it in the end.
        """
        self._group = group
        wanted = []
        for row in [self.find(name) for name in only] or self.services.values():
            if only or is_wanted(row.service):
                row.line_up()
                wanted.append(row)
            else:
                row.leave_off(f"not configured: {row.service.how_to}")
        free = asyncio.Semaphore(max(1, (os.cpu_count() or 1) - 1))
        for place, row in enumerate(wanted):
            if place == 0:
                await row.start(group)
            else:
                group.create_task(self._start_in_turn(row, free))

    async def _start_in_turn(self, row: Supervised, free: asyncio.Semaphore) -> None:
        async with free:
            if not self.stopping.is_set():
                await row.begin(self._group, LONGEST_TURN_S)

    async def stop(self) -> None:
        """Stop everything; returns when nothing is left."""
        self.stopping.set()
        async with asyncio.TaskGroup() as group:
            for service in self.services.values():
                group.create_task(service.stop())

    async def act(self, name: str, action: str) -> dict[str, Any]:
        """Start, stop or restart one service; answers with its status.

        Raises:
            NoSuchServiceError: `no_such_service`.
        """
        service = self.find(name)
        if action in ("stop", "restart"):
            await service.stop()
        if action in ("start", "restart") and not self.stopping.is_set():
            await service.start(self._group)
        return service.status()

    def find(self, name: str) -> Supervised:
        """The service of that name.

        Raises:
            NoSuchServiceError: `no_such_service`.
        """
        if name not in self.services:
            raise NoSuchServiceError(
                "no_such_service", f"There is no service {name!r}. There are: {', '.join(self.services)}."
            )
        return self.services[name]

    def panic(self, panic: Panic) -> dict[str, Any]:
        """Silence playout and OBS directly, without the hub. What must survive a restart comes after: see `latch`."""
        began = time.perf_counter()
        order = {"panic_id": panic.panic_id, "pressed_at": panic.pressed_at, "by": panic.by}
        ordered = self._order(SPEAKER, {"verb": "panic", "panic": order})
        self._order(SCREEN, {"verb": "panic", "panic": order})
        latency_ms = round((time.perf_counter() - began) * 1000, 2)
        log.warning("panic", panic_id=panic.panic_id, by=panic.by, ordered=ordered)
        return {
            "panic_id": panic.panic_id,
            "ordered": ordered,
            "latency_ms": latency_ms,
            "detail": "playout has the order" if ordered else "playout does not run: nothing sounds",
        }

    def _order(self, name: str, order: dict[str, Any]) -> bool:
        service = self.services.get(name)
        return service is not None and service.order(order)

    def status(self) -> dict[str, Any]:
        """What `GET /status` says."""
        services = [service.status() for service in self.services.values()]
        return {
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - self._began, 1),
            "home": str(self._home.root),
            "logs": str(self._home.logs),
            "state": "stopping" if self.stopping.is_set() else "running",
            "ready": all(service["ready"] for service in services if service["state"] not in ("off", "stopped")),
            "urls": urls(self._network),
            "services": services,
        }

    def latch(self, panic: Panic) -> None:
        """Make a restarted show come back panicked; a panic that holds already stays the one that holds."""
        latch = PanicLatch(self._home.panic_file)
        try:
            if latch.read() is None:
                latch.write(panic)
        except OSError as error:
            log.error("panic.not_latched", message=f"{self._home.panic_file}: {error.strerror}")

    def _note(self) -> None:
        """Write down who we are and what runs: for the CLI, and for the next launcher should we die."""
        running = {s.service.name: [s.child.pid, s.child.created] for s in self.services.values() if s.child}
        data = {
            "pid": os.getpid(),
            "created": psutil.Process().create_time(),
            "urls": urls(self._network),
            "services": running,
        }
        path = self._home.running_file
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            temporary.write_text(json.dumps(data), encoding="utf-8")
            temporary.replace(path)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            log.warning("running_file.not_written", message=f"{path}: {error.strerror}")


def service_log(where: Home, logs: LogSettings, name: str) -> ServiceLog:
    """The log of one service, with the installation's limits."""
    return ServiceLog(where.logs, name, max_bytes=int(logs.max_mb * MIB), keep_days=logs.keep_days)


def urls(network: NetworkSettings) -> dict[str, str]:
    """Where the doors are."""
    return {
        "orchestrator": network.orchestrator_url,
        "launcher": network.launcher_url,
        "control": network.control_url,
    }
