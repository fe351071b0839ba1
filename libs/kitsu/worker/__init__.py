"""What a hub worker is made of."""

from kitsu.process import Process, run_process
from kitsu.worker.base import Worker
from kitsu.worker.outbox import Outbox

__all__ = ["Outbox", "Process", "Worker", "run_process"]
