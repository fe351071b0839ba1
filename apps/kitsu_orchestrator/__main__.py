"""Start the orchestrator: `python -m kitsu_orchestrator`."""

import secrets
import sys
from pathlib import Path

from kitsu.characters import load_character
from kitsu.config import NetworkSettings, PolicySettings, SafetySettings, ShowSettings, home, load, read_secret
from kitsu.errors import GateError
from kitsu.protocol.approved import SEAL_KEY_BYTES
from kitsu.safety import ClosedGate, Gate, Judge
from kitsu.speech.pronunciation import load_pronunciation
from kitsu.telemetry import log
from kitsu.worker import Process, run_process
from kitsu.worker.web import bind
from kitsu_orchestrator.app import Orchestrator, Settings
from kitsu_orchestrator.config import ChatSettings, DeadAirSettings, IntakeSettings, TurnSettings


async def run(process: Process) -> None:
    """Read the settings, make everything, serve until told to stop."""
    where, network = home(), load("network", NetworkSettings)
    where.make()
    key = secrets.token_bytes(SEAL_KEY_BYTES)
    settings = Settings(
        load("show", ShowSettings),
        load("turn", TurnSettings),
        load("intake", IntakeSettings),
        load("policy", PolicySettings),
        load("chat", ChatSettings),
        load("dead_air", DeadAirSettings),
    )
    orchestrator = Orchestrator(
        where,
        settings,
        load_character(settings.show.character, where.configs / "characters"),
        _gate(where.configs / "safety", key),
        key,
        read_secret(where.token_file),
        network.launcher_url,
        load_pronunciation(where.configs / "pronunciation.yaml"),
    )
    await orchestrator.run(bind(network.host, network.orchestrator_port, "network.orchestrator_port"), process)


def _gate(folder: Path, key: bytes) -> Judge:
    """The gate; without rules a closed one, which lets nothing through."""
    try:
        return Gate.load(folder, load("safety", SafetySettings), key)
    except GateError as error:
        log.error("gate.closed", code=error.code, message=error.message)
        return ClosedGate(error)


if __name__ == "__main__":
    sys.exit(run_process("orchestrator", run))
