"""`python -m kitsu_tts`."""

import sys

from kitsu.worker import run_process
from kitsu_tts.worker import TtsWorker

if __name__ == "__main__":
    sys.exit(run_process("tts", lambda process: TtsWorker(process).run()))
