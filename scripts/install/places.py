"""Where the installed things of one checkout lie."""

import sys
from pathlib import Path
from typing import NamedTuple


class Places(NamedTuple):
    """Folders and programs of a checkout."""

    checkout: Path
    logs: Path

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    @property
    def python(self) -> Path:
        return self.venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def stamps(self) -> Path:
        """They go when the environment goes, so that a new one is filled again."""
        return self.venv / "kitsu-stamps"

    @property
    def lock(self) -> Path:
        """Held while something is installed."""
        return self.checkout / ".venv.lock"

    @property
    def node(self) -> Path:
        """Node from PyPI, where the system has none that is new enough."""
        return self.checkout / ".node"

    @property
    def web(self) -> Path:
        return self.checkout / "web"

    @property
    def pages(self) -> Path:
        return self.web / "build" / "index.html"

    @property
    def install_log(self) -> Path:
        return self.logs / "install.log"
