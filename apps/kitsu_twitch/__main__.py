"""`python -m kitsu_twitch`."""

import sys

from kitsu.worker import run_process
from kitsu_twitch.worker import TwitchWorker

if __name__ == "__main__":
    sys.exit(run_process("twitch", lambda process: TwitchWorker(process).run()))
