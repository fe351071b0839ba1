"""`python -m kitsu_asr`."""

import sys

from kitsu.worker import run_process
from kitsu_asr.worker import AsrWorker

if __name__ == "__main__":
    sys.exit(run_process("asr", lambda process: AsrWorker(process).run()))
