"""Beats for ever, ignores its orders, the end of stdin and, where there is one, SIGTERM."""

import signal
import time

from tests.fakes.children.base import beat_forever

signal.signal(signal.SIGTERM, signal.SIG_IGN)
beat_forever()
time.sleep(600)
