"""`python -m kitsu_policy`."""

import sys

from kitsu.worker import run_process
from kitsu_policy.worker import PolicyWorker

if __name__ == "__main__":
    sys.exit(run_process("policy", lambda process: PolicyWorker(process).run()))
