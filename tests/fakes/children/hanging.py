"""Beats once, then nothing; does not read its orders either."""

import time

from tests.fakes.children.base import beat

beat()
time.sleep(600)
