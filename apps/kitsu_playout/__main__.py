"""`python -m kitsu_playout`."""

import sys

from kitsu.worker import run_process
from kitsu_playout.worker import PlayoutWorker

if __name__ == "__main__":
    sys.exit(run_process("playout", lambda process: PlayoutWorker(process).run()))
