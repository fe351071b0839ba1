"""Start the orchestrator: `python -m kitsu_orchestrator`."""

import secrets
import sys
from pathlib import Path

from kitsu.characters import load_character
from kitsu.config import NetworkSettings, PolicySettings, SafetySettings, ShowSettings, home, load, read_secret
from kitsu.doors import Guard, local_hosts
from kitsu.errors import GateError
from kitsu.panic import PanicLatch
from kitsu.protocol.approved import SEAL_KEY_BYTES
from kitsu.safety import ClosedGate, Gate, Judge
from kitsu.telemetry import log
from kitsu.worker import Process, run_process
from kitsu.worker.web import bind, serve
from kitsu_orchestrator.config import IntakeSettings, TurnSettings
from kitsu_orchestrator.hub import Hub
from kitsu_orchestrator.intake import Intake
from kitsu_orchestrator.launcher import Launcher
from kitsu_orchestrator.levels import Levels
from kitsu_orchestrator.rest import build
from kitsu_orchestrator.routing import Router
from kitsu_orchestrator.services import Services
from kitsu_orchestrator.show import Show
from kitsu_orchestrator.slots import Slots
from kitsu_orchestrator.store import Store
from kitsu_orchestrator.studio import Studio


async def run(process: Process) -> None:
    """Wire everything together and serve until told to stop."""
    where, network = home(), load("network", NetworkSettings)
    where.make()
    token = read_secret(where.token_file)
    key = secrets.token_bytes(SEAL_KEY_BYTES)
    settings = load("show", ShowSettings)
    latch = PanicLatch(where.panic_file)
    store = Store.sqlite(where.data / "kitsu.db")
    await store.open()
    hub = Hub(token, key)
    levels = Levels(settings.start, latch.read())
    show = Show(hub, levels, Intake(load("intake", IntakeSettings)), store, Services(hub), latch)
    hub.attach(Router(show))
    studio = Studio(
        hub,
        _gate(where.configs / "safety", key),
        Slots(),
        show.stream.publish,
        load_character(settings.character, where.configs / "characters"),
        load("turn", TurnSettings),
        load("policy", PolicySettings),
    )
    launcher = Launcher(network.launcher_url, token)
    listener = bind(network.host, network.orchestrator_port, "network.orchestrator_port")
    app = build(show, launcher, lambda: show.run(studio))
    guarded = Guard(
        app,
        token=token,
        hosts=local_hosts(network.orchestrator_port),
        open_paths=frozenset({"/healthz", "/hub"}),  # the hub's own hello carries the token
    )
    try:
        await serve(guarded, listener, process)
    finally:
        await launcher.close()
        await store.close()


def _gate(folder: Path, key: bytes) -> Judge:
    """The gate; without rules a closed one, which lets nothing through."""
    try:
        return Gate.load(folder, load("safety", SafetySettings), key)
    except GateError as error:
        log.error("gate.closed", code=error.code, message_=error.message)
        return ClosedGate(error)


if __name__ == "__main__":
    sys.exit(run_process("orchestrator", run))
