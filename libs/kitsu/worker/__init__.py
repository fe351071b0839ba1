"""What a hub worker is made of."""

from kitsu.worker.base import Worker
from kitsu.worker.outbox import Outbox
from kitsu.worker.process import Process, run_process

__all__ = ["Outbox", "Process", "Worker", "run_process"]
