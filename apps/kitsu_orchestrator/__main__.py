"""Start the orchestrator: `python -m kitsu_orchestrator`."""

import asyncio
import gc
import sys
from importlib import import_module

from kitsu.config import NetworkSettings, home, load
from kitsu.listening import bind
from kitsu.process import Process, run_process


async def run(process: Process) -> None:
    """Listen, make everything, serve until told to stop.

    Listening comes first: workers that start faster than we do wait at the door, and are in the moment it opens.
    """
    where, network = home(), load("network", NetworkSettings)
    where.make()
    listener = bind(network.host, network.orchestrator_port, "network.orchestrator_port")
    with listener:
        gc.disable()  # nothing made now is thrown away again; looking for it takes a tenth of the start
        starting = await asyncio.to_thread(import_module, "kitsu_orchestrator.starting")  # long; hearts beat meanwhile
        orchestrator = starting.orchestrator(where, network)
        gc.enable()
        await orchestrator.run(listener, process)


if __name__ == "__main__":
    sys.exit(run_process("orchestrator", run))
