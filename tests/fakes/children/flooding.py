"""Writes what no log or heartbeat should look like, then behaves."""

import sys

from tests.fakes.children.base import beat_forever, obey

sys.stdout.buffer.write(b"\xff\xfe not json\n" + b"[" * 100_000 + b"\n" + b'{"ready": "yes", "state": 5}\n')
sys.stderr.buffer.write(b"\x00\x1b[2J" + b"x" * (1 << 20) + b"\n" + b'{"level": "INFO", "event": "after"}\n')
sys.stdout.flush()
sys.stderr.flush()
beat_forever()
obey()
