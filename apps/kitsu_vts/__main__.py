"""`python -m kitsu_vts`."""

import sys

from kitsu.worker import run_process
from kitsu_vts.worker import VtsWorker

if __name__ == "__main__":
    sys.exit(run_process("vts", lambda process: VtsWorker(process).run()))
