"""Linux and macOS: each service leads a process group of its own."""

import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import psutil

if sys.platform != "win32":

    class PosixTree:
        """A process group, and descendants that left it."""

        def __init__(self, pid: int) -> None:
            self._group = pid
            self._seen: set[psutil.Process] = set()

        def terminate(self) -> None:
            self._look()
            with suppress(ProcessLookupError):
                os.killpg(self._group, signal.SIGTERM)

        def kill(self) -> None:
            self._look()
            with suppress(ProcessLookupError):
                os.killpg(self._group, signal.SIGKILL)
            for process in self._seen:
                with suppress(psutil.Error):  # psutil itself refuses to touch a recycled process id
                    process.kill()

        def close(self) -> None:
            self._seen.clear()

        def _look(self) -> None:
            with suppress(psutil.Error):
                self._seen.update(psutil.Process(self._group).children(recursive=True))

    class PosixSystem:
        """Sessions and signals."""

        @property
        def spawn_options(self) -> Mapping[str, Any]:
            return {"start_new_session": True}

        def tree(self, pid: int) -> PosixTree:
            return PosixTree(pid)
