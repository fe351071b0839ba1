"""`python -m kitsu_control`."""

import sys

from kitsu.worker import run_process
from kitsu_control.worker import ControlWorker

if __name__ == "__main__":
    sys.exit(run_process("control", lambda process: ControlWorker(process).run()))
