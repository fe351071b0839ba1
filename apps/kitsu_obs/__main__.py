"""`python -m kitsu_obs`."""

import sys

from kitsu.worker import run_process
from kitsu_obs.worker import ObsWorker

if __name__ == "__main__":
    sys.exit(run_process("obs", lambda process: ObsWorker(process).run()))
