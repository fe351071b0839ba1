"""Starts a grandchild that ignores everything and holds its pipes open; says its id in the log."""

import subprocess
import sys

from tests.fakes.children.base import beat_forever, note, obey

grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
note("grandchild", pid=grandchild.pid)
beat_forever()
obey()
