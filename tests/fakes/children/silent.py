"""Runs, but never says anything."""

import time

time.sleep(600)
