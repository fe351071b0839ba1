"""What differs between operating systems when processes are started and stopped."""

import sys
from collections.abc import Mapping
from typing import Any, Protocol


class Tree(Protocol):
    """A process and everything that it started."""

    def terminate(self) -> None:
        """Ask the tree to go; does nothing where the system has no way to ask."""

    def kill(self) -> None:
        """End what is left of the tree, also when the process itself is gone already."""

    def close(self) -> None:
        """Let go of what the system keeps for the tree."""


class System(Protocol):
    """An operating system's way with processes."""

    @property
    def spawn_options(self) -> Mapping[str, Any]:
        """Keyword arguments of `subprocess.Popen` for a service."""

    def tree(self, pid: int) -> Tree:
        """The tree under a process that was just started with `spawn_options`."""


def this_system() -> System:
    """The system that we run on."""
    if sys.platform == "win32":
        from kitsu_launcher.windows import Kernel32Jobs, WindowsSystem

        return WindowsSystem(Kernel32Jobs())
    else:
        from kitsu_launcher.posix import PosixSystem

        return PosixSystem()
