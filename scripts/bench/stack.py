"""A show of its own to measure: real processes, a home in a temporary folder, free ports."""

import asyncio
import json
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError
from bench.rest import Door
from kitsu.config import NetworkSettings, read_secret
from kitsu.home import Home

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Place:
    """Home, ports and settings of a show, before anything runs there."""

    home: Home
    network: NetworkSettings
    settings: Mapping[str, str]  # "tts.engine" -> "openai"

    def environment(self) -> dict[str, str]:
        """Variables for its processes; none of the caller's own Kitsu settings."""
        kept = {name: value for name, value in os.environ.items() if not name.upper().startswith("KITSU")}
        ports = {name: getattr(self.network, name) for name in ("orchestrator_port", "launcher_port", "control_port")}
        all_settings = {f"network.{name}": str(port) for name, port in ports.items()} | dict(self.settings)
        named = {f"KITSU__{path.upper().replace('.', '__')}": value for path, value in all_settings.items()}
        return kept | named | {"KITSU_HOME": str(self.home.root)}

    def token(self) -> str:
        """The show's token."""
        return read_secret(self.home.token_file)


def new_place(root: Path, settings: Mapping[str, str]) -> Place:
    """A place in the empty folder `root` with ports that were free a moment ago."""
    orchestrator, launcher, control = free_ports(3)
    network = NetworkSettings(orchestrator_port=orchestrator, launcher_port=launcher, control_port=control)
    checkout = Path(__file__).resolve().parents[2]
    return Place(Home(root=root, logs=root / "logs", configs=checkout / "configs"), network, settings)


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@dataclass(frozen=True, slots=True)
class Stack:
    """A running show."""

    place: Place
    pid: int  # of the launcher; everything else is below it
    ready_s: float  # launcher started -> every service healthy
    launcher: Door
    door: Door  # the orchestrator's REST

    async def service(self, name: str, action: str) -> None:
        """start, stop or restart one service.

        Raises:
            BenchError: `refused`.
        """
        answer = await self.launcher.call("POST", f"/services/{name}/{action}")
        if answer.status >= 300:
            raise BenchError("refused", f"The launcher would not {action} {name}: {answer.text[:200]}")

    async def wait_until_ready(self) -> None:
        """Until every service is healthy.

        Raises:
            BenchError: `not_ready`.
        """
        await _wait_until_ready(self.launcher)


@asynccontextmanager
async def running_stack(place: Place, only: Sequence[str] = ()) -> AsyncIterator[Stack]:
    """Launch the show (or `only` some of its services), wait until it is ready, stop it when the block ends.

    Raises:
        BenchError: `not_started`, `not_ready`.
    """
    place.home.make()
    began = time.perf_counter()
    with (place.home.logs / "launcher.stderr").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "kitsu_launcher", "--attached", "--only", ",".join(only)),
            env=place.environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout
    try:
        first = await process.stdout.readline()
        if not _started(first):
            raise BenchError("not_started", f"The launcher said: {first.decode(errors='replace').strip() or 'nothing'}")
        async with place_doors(place) as (launcher, door):
            await _wait_until_ready(launcher)
            yield Stack(place, process.pid, time.perf_counter() - began, launcher, door)
    finally:
        await _stop(process)


@asynccontextmanager
async def place_doors(place: Place) -> AsyncIterator[tuple[Door, Door]]:
    """Connections to launcher and orchestrator of a show whose token exists."""
    token = place.token()
    async with (
        Door("127.0.0.1", place.network.launcher_port, token) as launcher,
        Door("127.0.0.1", place.network.orchestrator_port, token) as door,
    ):
        yield launcher, door


def _started(line: bytes) -> bool:
    try:
        return bool(json.loads(line).get("started"))
    except ValueError:
        return False


async def _wait_until_ready(launcher: Door) -> None:
    status: dict[str, Any] = {}
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while not status.get("ready"):
                await asyncio.sleep(0.02)
                try:
                    status = (await launcher.call("GET", "/status")).json()
                except ConnectionError:
                    continue  # its door opens a moment after it started
    except TimeoutError:
        waiting = {row["name"]: row["reason"] for row in status.get("services", ()) if not row["ready"]}
        raise BenchError("not_ready", f"Not healthy after {START_TIMEOUT_S:.0f} s: {waiting or 'no status'}") from None


async def _stop(process: asyncio.subprocess.Process) -> None:
    assert process.stdin
    process.stdin.close()
    try:
        async with asyncio.timeout(STOP_TIMEOUT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
